// The variants as tabs, one panel at a time; arrow keys go from one to the next.
import { make } from "./dom.js";
import { data, text } from "./data.js";

const KEPT = `editor-tab ${location.pathname}`;
let bar;
let changed = () => {};

export const panels = () => [...document.querySelectorAll(".ed-variant[data-variant]")];
export const shown = () => panels().find((panel) => !panel.hidden);

export function start(onchange) {
  bar = document.querySelector(".ed-tabs");
  changed = onchange;
  bar.hidden = false;
  bar.addEventListener("keydown", step);
  document.querySelector(".ed-editor").classList.add("ed-tabbed");
  const kept = panels().find((panel) => named(panel) === sessionStorage.getItem(KEPT));
  const wrong = panels().find((panel) => panel.querySelector(".pc-error"));
  draw();
  show(wrong ?? kept ?? panels()[0]);
}

const localeOf = (panel) => (panel.querySelector("[name$='-locale']")?.value ?? panel.dataset.locale ?? "").trim();
const named = (panel) => `${panel.dataset.channel} ${localeOf(panel)}`;
export const isRemoved = (panel) => panel.querySelector("input[name$='-DELETE']")?.checked ?? false;
export const place = named;

/** One tab for each panel, with its language. */
export function draw() {
  const focused = bar.contains(document.activeElement) && document.activeElement.id;
  bar.replaceChildren(...panels().map(tab));
  panels().forEach((panel) => {
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${panel.dataset.variant}`);
  });
  select(shown());
  if (focused) document.getElementById(focused)?.focus();
}

function tab(panel) {
  const button = make(
    "button",
    { type: "button", role: "tab", title: data.locales[localeOf(panel)] ?? "", id: `tab-${panel.dataset.variant}`, "aria-controls": panel.id, onclick: () => show(panel) },
    make("b", {}, panel.dataset.label),
    make("span", {}, localeOf(panel) || text("default")),
  );
  button.classList.toggle("ed-removed", isRemoved(panel));
  return button;
}

export function show(panel) {
  panels().forEach((each) => (each.hidden = each !== panel));
  if (panel) sessionStorage.setItem(KEPT, named(panel));
  select(panel);
  changed();
}

function select(panel) {
  for (const button of bar.children) {
    const isChosen = Boolean(panel) && button.id === `tab-${panel.dataset.variant}`;
    button.setAttribute("aria-selected", isChosen);
    button.tabIndex = isChosen ? 0 : -1;
  }
}

function step(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const all = panels();
  const now = all.indexOf(shown());
  const next = Number.isFinite(steps[event.key])
    ? (now + steps[event.key] + all.length) % all.length
    : event.key === "Home" ? 0 : all.length - 1;
  show(all[next]);
  document.getElementById(`tab-${all[next].dataset.variant}`).focus();
}

/** Errors and warnings of each variant, as a number on its tab. */
export function count(problems) {
  for (const panel of panels()) {
    const button = document.getElementById(`tab-${panel.dataset.variant}`);
    const own = problems.filter((each) => each.key === panel.dataset.variant && each.severity !== "hint");
    button.querySelector("i")?.remove();
    if (own.length) {
      const isBad = own.some((each) => each.severity === "error");
      button.append(make("i", { class: isBad ? "ed-bad" : "ed-warning" }, String(own.length)));
    }
  }
}
