// The samples of this version, and which set of parameters the preview is made with.
import { data, text } from "./data.js";
import { make } from "./dom.js";
import * as fields from "./fields.js";

const KEPT = `editor-sample ${location.pathname}`;
let changed = () => {};
let chosen = 0;

const area = () => document.getElementById("id_samples");

/** All samples; null while what stands there is no list of samples. */
export function all() {
  try {
    const found = JSON.parse(area().value.trim() || "[]");
    return Array.isArray(found) && found.every((each) => each && typeof each.params === "object") ? found : null;
  } catch {
    return null;
  }
}

export function write(samples) {
  const value = JSON.stringify(samples, null, 2);
  area().value = value;
  fields.write("id_samples", value);
  draw();
}

export const chosenSample = () => (isOwn() ? (all() ?? [])[chosen] : undefined);
const isOwn = () => !String(chosen).startsWith("example-");

/** The parameters that the preview is made with. */
export function params() {
  if (isOwn()) return chosenSample()?.params ?? {};
  return data.examples[Number(String(chosen).slice(8))]?.params ?? {};
}

export function start(onchange) {
  changed = onchange;
  const kept = sessionStorage.getItem(KEPT);
  chosen = kept?.startsWith("example-") ? kept : Number(kept ?? 0);
  select().addEventListener("change", () => choose(select().value));
  draw();
}

const select = () => document.getElementById("editor-sample");

export function choose(value) {
  chosen = String(value).startsWith("example-") ? value : Number(value);
  sessionStorage.setItem(KEPT, chosen);
  draw();
  changed();
}

/** The menu beside the preview. */
export function draw() {
  const own = all() ?? [];
  if (isOwn() && chosen >= own.length) chosen = Math.max(0, own.length - 1);
  const options = own.map((each, index) => new Option(each.name || text("untitled", index + 1), index));
  const groups = [make("optgroup", { label: text("samples") }, ...(options.length ? options : [new Option(text("noSample"), 0)]))];
  if (data.examples.length) {
    const recent = data.examples.map((each, index) => new Option(each.name, `example-${index}`));
    groups.push(make("optgroup", { label: text("recent") }, ...recent));
  }
  select().replaceChildren(...groups);
  select().value = String(chosen);
}

export function addSample() {
  const own = all() ?? [];
  const names = new Set(own.map((each) => each.name));
  let number = own.length + 1;
  while (names.has(text("untitled", number))) number += 1;
  write([...own, { name: text("untitled", number), params: structuredClone(params()) }]);
  choose(own.length);
}

export function removeSample() {
  write((all() ?? []).filter((_, index) => index !== chosen));
  choose(Math.max(0, chosen - 1));
}

export function renameSample(name) {
  const own = all() ?? [];
  if (!own[chosen]) return;
  own[chosen].name = name;
  write(own);
}
