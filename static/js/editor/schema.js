// A JSON Schema as rows of a table. Only what a row shows is changed; whatever else the schema says stays.

const KINDS = {
  date: { type: "string", format: "date" },
  dateTime: { type: "string", format: "date-time" },
  uri: { type: "string", format: "uri" },
  email: { type: "string", format: "email" },
};
export const TYPES = ["string", "number", "integer", "boolean", "date", "dateTime", "uri", "email", "array", "object"];

/** The word for what a value has to be. */
export function typeOf(spec) {
  const found = Object.entries(KINDS).find(([, kind]) => kind.format === spec.format && spec.type === "string");
  if (found) return found[0];
  return TYPES.includes(spec.type) ? spec.type : "other";
}

/** Rows in depth-first order: path, spec, whether it is required, whether it has a value of its own in a sample. */
export function rows(schema, path = [], inList = false) {
  const found = [];
  for (const [name, spec] of Object.entries(propertiesOf(schema))) {
    if (!spec || typeof spec !== "object") continue;
    const here = [...path, name];
    const isRequired = (schema.required ?? []).includes(name);
    const inner = spec.type === "object" ? rows(spec, here, inList) : [];
    const items = spec.type === "array" && spec.items?.type === "object" ? rows(spec.items, [...here, "[]"], true) : [];
    found.push({ path: here, spec, isRequired, hasValue: !inList && !inner.length, parent: schema, name });
    found.push(...inner, ...items);
  }
  return found;
}

const propertiesOf = (schema) => (schema && typeof schema.properties === "object" && schema.properties) || {};

/** Names for completion: those of the schema at a path, [] for the top. Lists lead to their items. */
export function namesAt(schema, path) {
  let spec = schema;
  for (const name of path) spec = itemOf(propertiesOf(spec)[name]);
  return Object.entries(propertiesOf(spec ?? {})).map(([name, inner]) => ({ name, spec: inner ?? {} }));
}

const itemOf = (spec) => (spec?.type === "array" ? spec.items : spec);

export function setType(spec, kind) {
  delete spec.format;
  const wanted = KINDS[kind] ?? { type: kind };
  Object.assign(spec, wanted);
  if (kind !== "object") for (const word of ["properties", "required", "additionalProperties"]) delete spec[word];
  if (kind !== "array") delete spec.items;
  if (kind === "object") spec.properties ??= {};
}

export function setRequired(parent, name, isRequired) {
  const others = (parent.required ?? []).filter((each) => each !== name);
  parent.required = isRequired ? [...others, name] : others;
}

export function remove(parent, name) {
  delete parent.properties[name];
  setRequired(parent, name, false);
}

/** Give a variable another name, at its old place in the order. False where the name is none, or taken. */
export function rename(parent, before, after) {
  if (!/^[A-Za-z_]\w*$/.test(after) || (after !== before && after in parent.properties)) return false;
  const entries = Object.entries(parent.properties).map(([name, spec]) => [name === before ? after : name, spec]);
  const isRequired = (parent.required ?? []).includes(before);
  parent.properties = Object.fromEntries(entries);
  setRequired(parent, before, false);
  setRequired(parent, after, isRequired);
  return true;
}

export function add(schema, name) {
  schema.properties ??= {};
  let free = name;
  for (let number = 2; free in schema.properties; number += 1) free = `${name}_${number}`;
  schema.properties[free] = { type: "string" };
  return free;
}

/** The value at a path of a sample; undefined where there is none. */
export const valueAt = (params, path) => path.reduce((value, name) => value?.[name], params);

/** Put a value there; undefined takes it away. */
export function putAt(params, path, value) {
  const last = path[path.length - 1];
  let place = params;
  for (const name of path.slice(0, -1)) {
    if (typeof place[name] !== "object" || place[name] === null) place[name] = {};
    place = place[name];
  }
  if (value === undefined) delete place[last];
  else place[last] = value;
}
