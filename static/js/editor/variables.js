// The variables as a table over their JSON Schema, with the values of the chosen sample.
import { data, text } from "./data.js";
import { icon, make } from "./dom.js";
import * as fields from "./fields.js";
import * as samples from "./samples.js";
import * as shape from "./schema.js";
import * as values from "./values.js";

const MOST_SNIPPETS = 6;
let changed = () => {};
let known = { properties: {} };
let faults = [];
let proposal = null;

const area = () => document.getElementById("id_variables");
const table = () => document.getElementById("editor-variables");

/** The schema as it is written; while that is no JSON, the last one that was. */
export function schema() {
  return known;
}

/** What the server is asked about: null while it is no JSON. */
export function written() {
  try {
    return JSON.parse(area().value);
  } catch {
    return null;
  }
}

export function start(onchange) {
  changed = onchange;
  table().hidden = false;
  if (!document.querySelector("#raw-parameters .pc-error")) document.getElementById("raw-parameters").open = false;
  read();
}

/** After a change of the JSON: the table anew. */
export function read() {
  const found = written();
  if (found && typeof found === "object" && !Array.isArray(found)) known = found;
  draw(found === null);
}

function store() {
  const value = JSON.stringify(known, null, 2);
  area().value = value;
  fields.write("id_variables", value);
  draw(false);
  changed();
}

/** What the server says of the sample, and what it proposes from the text. */
export function hear(told) {
  faults = told.faults ?? [];
  proposal = told.proposal ?? null;
  drawFaults();
  drawProposal();
}

function draw(isBroken) {
  const isBusy = table().contains(document.activeElement) && document.activeElement.id;
  const all = shape.rows(known);
  const parts = [
    isBroken ? make("p", { class: "pc-error" }, text("notJson")) : null,
    sampleBar(),
    all.length ? grid(all) : null,
    make("div", { class: "ed-found", hidden: true }),
    button("add", text("addVariable"), addVariable),
  ];
  table().replaceChildren(...parts.filter(Boolean));
  drawFaults();
  drawProposal();
  drawInsert(all);
  if (isBusy) document.getElementById(isBusy)?.focus();
}

const button = (sign, label, onclick) => make("button", { type: "button", class: "ed-quiet ed-button", onclick }, icon(sign), label);

function sampleBar() {
  const own = samples.all() ?? [];
  const sample = samples.chosenSample();
  const chooser = make("select", { id: "table-sample", "aria-label": text("sample"), onchange: (event) => samples.choose(event.target.value) });
  own.forEach((each, index) => chooser.append(new Option(each.name, index, false, each === sample || own.indexOf(each) === own.findIndex((one) => one.name === sample?.name))));
  const name = make("input", { type: "text", id: "sample-name", value: sample?.name ?? "", maxLength: 100, "aria-label": text("sampleName"), onchange: (event) => { samples.renameSample(event.target.value.trim() || text("untitled", 1)); draw(false); changed(); } });
  return make(
    "div",
    { class: "ed-samples" },
    own.length ? make("label", {}, text("sample"), chooser) : null,
    sample ? name : null,
    button("add", text("newSample"), () => { samples.addSample(); draw(false); }),
    sample ? button("delete", text("removeSample"), () => { samples.removeSample(); draw(false); }) : null,
  );
}

function grid(all) {
  const heads = ["name", "type", "required", "description", "value"].map((name) => make("th", { scope: "col" }, text(name)));
  const body = all.flatMap((each, index) => {
    // The items of a list stand below the last of its members.
    const list = all.slice(0, index + 1).findLast((one) => isWithin(each, one) && !(all[index + 1] && isWithin(all[index + 1], one)));
    return [row(each), list && itemsOf(list)].filter(Boolean);
  });
  return make("div", { class: "pc-scroll" }, make("table", { class: "pc-table" }, make("thead", {}, make("tr", {}, ...heads, make("td"))), make("tbody", {}, ...body)));
}

const isWithin = (inner, outer) => outer.spec.type === "array" && outer.path.every((name, index) => inner.path[index] === name);

const idOf = (path, part) => `variable-${path.join(".")}-${part}`;

function row({ path, spec, isRequired, hasValue, parent, name }) {
  const label = path.filter((each) => each !== "[]").join(".");
  const cell = (part, control) => {
    control.id = idOf(path, part);
    control.setAttribute("aria-label", `${label}: ${text(part)}`);
    return make("td", { "data-label": text(part) }, control);
  };
  const naming = make("input", { type: "text", value: name, onchange: (event) => (shape.rename(parent, name, event.target.value.trim()) ? store() : draw(false)) });
  const kinds = [...shape.TYPES, ...(shape.typeOf(spec) === "other" ? ["other"] : [])];
  const type = make("select", { onchange: (event) => { shape.setType(spec, event.target.value); store(); } }, ...kinds.map((kind) => new Option(text(kind), kind)));
  type.value = shape.typeOf(spec);
  const required = make("input", { type: "checkbox", checked: isRequired, onchange: (event) => { shape.setRequired(parent, name, event.target.checked); store(); } });
  const description = make("input", { type: "text", value: spec.description ?? "", onchange: (event) => { describe(spec, event.target.value); store(); } });
  const drop = make("button", { type: "button", class: "ed-icon", title: text("removeVariable"), "aria-label": `${label}: ${text("removeVariable")}`, onclick: () => { shape.remove(parent, name); store(); } }, icon("delete"));
  const line = make("tr", { "data-path": path.join("/") }, cell("name", naming), cell("type", type), cell("required", required), cell("description", description));
  const hasCell = hasValue && samples.chosenSample() && !values.isList(spec);
  line.append(hasCell ? cell("value", values.control(spec, valueOf(path), (next) => put(path, next))) : make("td"), make("td", {}, drop));
  line.style.setProperty("--ed-depth", path.length - 1);
  return line;
}

function describe(spec, words) {
  if (words.trim()) spec.description = words.trim();
  else delete spec.description;
}

/** What is put into the chosen sample, at this path. */
function put(path, next) {
  const own = samples.all();
  const at = own.findIndex((each) => each.name === samples.chosenSample().name);
  shape.putAt(own[at].params, path, next);
  samples.write(own);
  changed();
}

const valueOf = (path) => shape.valueAt(samples.chosenSample().params, path);

/** Below the members of a list: its items in the chosen sample. */
function itemsOf({ path, spec, hasValue }) {
  if (!hasValue || !samples.chosenSample() || !values.isList(spec)) return null;
  const items = values.list(path.join("."), spec, structuredClone(valueOf(path)), (next) => put(path, next), () => draw(false));
  const line = make("tr", { class: "ed-items" }, make("td", { colSpan: 6 }, items));
  line.style.setProperty("--ed-depth", path.length);
  return line;
}

function addVariable() {
  const name = shape.add(known, "variable");
  store();
  document.getElementById(idOf([name], "name"))?.select();
}

function drawFaults() {
  for (const line of table().querySelectorAll("tr[data-path]")) {
    const own = faults.find((each) => each.pointer.split("/").slice(1).join("/") === line.dataset.path);
    line.querySelector(".pc-error")?.remove();
    if (own) line.children[4].append(make("p", { class: "pc-error" }, own.message));
  }
}

/** What the text uses and nobody declared: said beside the text and below the table, declared by a click. */
function drawProposal() {
  const places = [[table().querySelector(".ed-found"), "takeOver", "take-over"], [document.querySelector(".ed-sight > .ed-found"), "declare", "declare"]];
  for (const [box, label, id] of places) {
    if (!box) continue;
    box.hidden = !proposal?.names.length;
    if (!box.hidden) box.replaceChildren(make("span", {}, text("found")), ...proposed(label, id));
  }
}

function proposed(label, id) {
  const take = () => {
    known = proposal.schema;
    proposal = null;
    store();
  };
  return [...proposal.names.map((name) => make("code", {}, name)), make("button", { type: "button", class: "ed-button", id, onclick: take }, text(label))];
}

/** Above the fields: what can be put into the text by a click. */
function drawInsert(all) {
  const bar = document.querySelector(".ed-insert");
  if (!bar) return;
  const own = all.filter((each) => !each.path.includes("[]"));
  const names = own.filter((each) => !["object", "array"].includes(each.spec.type)).map((each) => each.path.join("."));
  const list = own.find((each) => each.spec.type === "array");
  const chips = [
    ...[...names, "recipient.name", "unsubscribe_url"].map((name) => chip(name, () => fields.insert(name))),
    chip(text("onlyIf"), () => fields.wrap(`{% if \${${names[0] ?? "name"}} %}`, "{% endif %}"), "ed-tag"),
    list && chip(text("forEach"), () => fields.wrap(`{% for item in \${${list.path.join(".")}} %}`, "{% endfor %}"), "ed-tag"),
    ...data.parts.filter((part) => part.kind === "snippet").slice(0, MOST_SNIPPETS).map(snippet),
  ];
  bar.replaceChildren(make("span", {}, text("insert")), ...chips.filter(Boolean));
  bar.hidden = false;
}

const snippet = ({ code, name }) => {
  const button = chip(code, () => fields.put(`{% include "${code}" %}`), "ed-tag");
  button.title = name;
  return button;
};

function chip(label, onclick, kind = "") {
  // The place where somebody writes keeps the focus.
  const onmousedown = (event) => event.preventDefault();
  return make("button", { type: "button", class: `ed-chip ${kind}`, onmousedown, onclick }, label);
}
