// Beside the text: how it looks, what it takes, and what is wrong, where a click leads to the place.
import { text } from "./data.js";
import { icon, make, morph } from "./dom.js";
import * as adding from "./adding.js";
import * as fields from "./fields.js";
import * as tabs from "./tabs.js";

const node = (name) => document.getElementById(`editor-${name}`);
const SIGNS = { error: "error", warning: "warning", hint: "lightbulb" };
const ORDER = ["error", "warning", "hint"];

export function start() {
  document.querySelector(".ed-sight").hidden = false;
}

export function show(told) {
  const look = node("look");
  if (told.look !== undefined) morph(look, told.look);
  else if (!told.error) look.replaceChildren();
  look.classList.toggle("ed-stale", Boolean(told.error));
  showError(told.error);
  node("estimate").hidden = !told.estimate;
  node("estimate").textContent = told.estimate ?? "";
  showProblems(told.problems);
}

/** It cannot be rendered with this sample: why, and where. */
function showError(error) {
  const box = node("fault");
  const panel = tabs.shown();
  box.hidden = !error;
  if (!error || !panel) return;
  const problem = { ...error, key: panel.dataset.variant, severity: "error" };
  box.replaceChildren(line(problem, placeOf(problem, false)));
}

function showProblems(problems) {
  tabs.count(problems);
  for (const panel of tabs.panels()) {
    for (const field of panel.querySelectorAll(".ed-field")) {
      const own = problems.filter((each) => each.key === panel.dataset.variant && each.field === field.dataset.field);
      fields.mark(controlOf(field)?.id, own.filter((each) => each.line));
    }
  }
  const sorted = [...problems].sort((a, b) => rank(a) - rank(b));
  const list = make("ul", {}, ...sorted.map((each) => make("li", {}, line(each, placeOf(each, true)))));
  node("problems").replaceChildren(sorted.length ? list : make("p", { class: "ed-fine" }, icon("check_circle"), text("fine")));
}

// Those of the shown variant first, then by how much they matter.
const rank = (problem) => ORDER.indexOf(problem.severity) + (problem.key === tabs.shown()?.dataset.variant ? 0 : 10);

const controlOf = (field) => field.querySelector("textarea, input, select");

function line(problem, place) {
  const onclick = (event) => {
    event.currentTarget.classList.toggle("ed-open");
    go(problem);
  };
  const help = problem.help ? make("small", {}, problem.help) : null;
  return make(
    "button",
    { type: "button", class: `ed-problem ed-${problem.severity}`, title: problem.help ?? "", onclick },
    icon(SIGNS[problem.severity] ?? "error"),
    make("span", {}, place ? make("b", {}, place) : null, problem.message, help),
  );
}

function placeOf(problem, withTab) {
  const panel = panelOf(problem);
  if (!panel) return isOfParameters(problem) ? text("variables") : adding.nameOf(problem.channel);
  const tab = withTab && panel !== tabs.shown() ? tabLabel(panel) : "";
  const label = fieldOf(panel, problem)?.querySelector("label")?.firstChild.textContent.trim();
  return [tab, label, problem.line ? text("line", problem.line) : ""].filter(Boolean).join(" · ");
}

const tabLabel = (panel) => [panel.dataset.label, tabs.place(panel).split(" ")[1]].filter(Boolean).join(" ");
const panelOf = (problem) => tabs.panels().find((panel) => panel.dataset.variant === problem.key);
const fieldOf = (panel, problem) => panel.querySelector(`.ed-field[data-field="${CSS.escape(problem.field ?? "")}"]`);

const isOfParameters = (problem) => /^(variable|sample|schema)/.test(problem.rule ?? "");

function go(problem) {
  const panel = panelOf(problem);
  if (!panel) {
    if (isOfParameters(problem)) document.getElementById("parameters").scrollIntoView({ behavior: "smooth" });
    else if (problem.channel) adding.propose(problem.channel, problem.locale);
    return;
  }
  if (panel !== tabs.shown()) tabs.show(panel);
  const field = fieldOf(panel, problem);
  if (!field) return;
  field.closest("details")?.setAttribute("open", "");
  fields.go(controlOf(field).id, problem.line);
}
