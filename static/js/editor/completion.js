// What can be written within {{ }} and {% %}: the variables of this version, and what the engine knows.
import { namesAt, typeOf } from "./schema.js";
import { data, text } from "./data.js";

const WORDS = ["and", "or", "not", "in", "is", "defined", "true", "false", "none", "loop"];
const LOOP = ["index", "index0", "first", "last", "length", "revindex"];
const PERSON = ["name", "id", "locale"];

/** The text since the last {{ or {% that is still open at the cursor; null outside. */
export function opened(before) {
  const start = Math.max(before.lastIndexOf("{{"), before.lastIndexOf("{%"));
  if (start < 0) return null;
  const inside = before.slice(start);
  return inside.includes("}}") || inside.includes("%}") ? null : inside;
}

/** For CodeMirror. `schema()` gives the variables as they are at present. */
export function completions(schema) {
  return (context) => {
    const before = context.state.sliceDoc(Math.max(0, context.pos - 2000), context.pos);
    const inside = opened(before);
    if (inside === null) return null;
    const named = /^\{%[-+]?\s*(include|extends)\s+["']([\w-]*)$/.exec(inside);
    if (named) return { from: context.pos - named[2].length, options: parts(named[1]), validFor: /^[\w-]*$/ };
    const word = /[\w]*$/.exec(inside)[0];
    const lead = inside.slice(0, inside.length - word.length);
    const options = fitting(lead, schema(), before);
    if (!options.length || (!word && !context.explicit && !/[.|%{]\s*$/.test(lead))) return null;
    return { from: context.pos - word.length, options, validFor: /^\w*$/ };
  };
}

function fitting(lead, schema, before) {
  if (/\|\s*$/.test(lead)) return described(data.filters, "function");
  if (/^\{%[-+]?\s*$/.test(lead)) return described(data.tags, "keyword");
  const path = /([A-Za-z_]\w*(?:\[\d*\])?(?:\.\w+(?:\[\d*\])?)*)\.$/.exec(lead);
  return path ? members(path[1].replace(/\[\d*\]/g, "").split("."), schema, before) : names(schema, before);
}

/** Layouts are extended, snippets included. */
const parts = (tag) =>
  data.parts
    .filter((part) => (part.kind === "layout") === (tag === "extends"))
    .map(({ code, name }) => ({ label: code, type: "constant", detail: name }));

const described = (words, type) => Object.entries(words).map(([label, info]) => ({ label, type, detail: info }));

function names(schema, before) {
  const loops = [...before.matchAll(/\{%-?\s*for\s+(\w+)(?:\s*,\s*(\w+))?\s+in\s/g)].flatMap((found) => [found[1], found[2]]);
  const sets = [...before.matchAll(/\{%-?\s*set\s+(\w+)/g)].map((found) => found[1]);
  return [
    ...namesAt(schema, []).map(variable),
    { label: "recipient", type: "variable", detail: text("inherited"), boost: 1 },
    { label: "unsubscribe_url", type: "variable", detail: text("wayOut"), boost: 1 },
    ...new Set([...loops, ...sets].filter(Boolean)),
    ...WORDS,
  ].map((each) => (typeof each === "string" ? { label: each, type: "keyword", boost: -1 } : each));
}

function members(path, schema, before) {
  if (path[0] === "recipient") return path.length > 1 ? [] : PERSON.map((label) => ({ label, type: "property" }));
  if (path[0] === "loop") return LOOP.map((label) => ({ label, type: "property" }));
  return namesAt(schema, resolved(path, before)).map(variable);
}

/** A name of a loop stands for an item of its list. */
function resolved(path, before) {
  const loops = [...before.matchAll(/\{%-?\s*for\s+(\w+)\s+in\s+([\w.]+)/g)].reverse();
  let whole = path;
  for (let round = 0; round < 5; round += 1) {
    const loop = loops.find((each) => each[1] === whole[0]);
    if (!loop) break;
    whole = [...loop[2].split("."), ...whole.slice(1)];
  }
  return whole;
}

function variable({ name, spec }) {
  const kind = typeOf(spec);
  return { label: name, type: "variable", detail: text(kind), info: spec.description || undefined, boost: 2 };
}
