// Controls for the values of a sample, each by the type of its variable; empty means that there is none.
import { text } from "./data.js";
import { icon, make } from "./dom.js";
import { typeOf } from "./schema.js";

/** A control that shows `now` and hands each change to `put`; undefined where the value is taken away. */
export function control(spec, now, put) {
  const kind = typeOf(spec);
  if (Array.isArray(spec.enum)) return options(spec.enum.map((each) => [String(each), each]), now, put);
  if (kind === "boolean") return options([[text("yes"), true], [text("no"), false]], now, put);
  if (["array", "object", "other"].includes(kind)) return json(now, put);
  return plain(kind === "number" || kind === "integer", now, put);
}

function plain(isNumber, now, put) {
  const shown = now === undefined ? "" : typeof now === "string" ? now : JSON.stringify(now);
  const oninput = (event) => put(event.target.value === "" ? undefined : isNumber ? numberOf(event.target.value) : event.target.value);
  return make("input", { type: "text", inputMode: isNumber ? "decimal" : "text", value: shown, oninput });
}

// What is no number is kept as it is written, and the check says so.
const numberOf = (written) => (Number.isFinite(Number(written)) ? Number(written) : written);

function options(pairs, now, put) {
  const select = make("select", {}, new Option("–", ""), ...pairs.map(([label], index) => new Option(label, index)));
  select.value = String(pairs.findIndex(([, each]) => each === now));
  if (select.selectedIndex < 0) select.value = "";
  select.addEventListener("change", () => put(select.value === "" ? undefined : pairs[Number(select.value)][1]));
  return select;
}

function json(now, put) {
  const oninput = (event) => {
    const written = event.target.value.trim();
    try {
      put(written ? JSON.parse(written) : undefined);
      event.target.classList.remove("ed-wrong");
    } catch {
      event.target.classList.add("ed-wrong");
    }
  };
  return make("textarea", { rows: 2, class: "pc-code", spellcheck: false, value: now === undefined ? "" : JSON.stringify(now), oninput });
}

/** Can the items be shown as the lines of a table, one column for each member? */
export function isList(spec) {
  if (typeOf(spec) !== "array") return false;
  const members = membersOf(spec);
  return members.length > 0 && members.every(([, each]) => !["array", "object", "other"].includes(typeOf(each)));
}

/** Name and spec of each column; a list of plain values has one without a name. */
function membersOf(spec) {
  const items = spec.items ?? {};
  if (items.type !== "object") return [["", items]];
  return Object.entries(items.properties ?? {});
}

/** The items of a list as a table; `put` gets the whole list after each change, `redraw` shows it anew. */
export function list(label, spec, now, put, redraw) {
  const items = Array.isArray(now) ? now : [];
  const members = membersOf(spec);
  const isPlain = members[0][0] === "";
  const changed = (next) => {
    put(next.length ? next : undefined);
    redraw();
  };
  const cell = (item, at, [name, each]) => {
    const node = control(each, isPlain ? item : item?.[name], (value) => {
      if (isPlain) items[at] = value ?? "";
      else if (value === undefined) delete items[at][name];
      else items[at] = { ...items[at], [name]: value };
      put(items);
    });
    node.setAttribute("aria-label", `${label} ${at + 1}: ${name || text("value")}`);
    return make("td", { "data-label": name }, node);
  };
  const line = (item, at) => {
    const drop = () => changed(items.filter((_, index) => index !== at));
    const button = make("button", { type: "button", class: "ed-icon", "aria-label": `${label} ${at + 1}: ${text("removeVariable")}`, onclick: drop }, icon("delete"));
    return make("tr", {}, ...members.map((member) => cell(item, at, member)), make("td", {}, button));
  };
  const heads = isPlain ? [] : [make("thead", {}, make("tr", {}, ...members.map(([name]) => make("th", { scope: "col" }, name)), make("td")))];
  const add = () => changed([...items, isPlain ? "" : {}]);
  return make(
    "div",
    { class: "ed-list" },
    items.length ? make("table", {}, ...heads, make("tbody", {}, ...items.map(line))) : null,
    make("button", { type: "button", class: "ed-quiet ed-button", onclick: add }, icon("add"), text("addItem", label)),
  );
}
