// Elements made in one line, and markup put in place of other markup without a flicker.

/** make("button", {type: "button", onclick: f}, "Add"): properties, then children. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name.includes("-") || name === "role" || name === "for" || name === "list") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** A symbol of the console's font. */
export const icon = (name) => make("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

/** Make the children of `target` those of `markup`; what is the same stays, with its switches and its scrolling. */
export function morph(target, markup) {
  const template = document.createElement("template");
  template.innerHTML = markup;
  morphChildren(target, template.content);
}

function morphChildren(target, wanted) {
  const before = [...target.childNodes];
  const after = [...wanted.childNodes];
  after.forEach((node, index) => {
    const old = before[index];
    if (!old) target.append(node);
    else if (isAlike(old, node)) morphNode(old, node);
    else old.replaceWith(node);
  });
  before.slice(after.length).forEach((node) => node.remove());
}

function isAlike(old, node) {
  return old.nodeType === node.nodeType && old.nodeName === node.nodeName && old.className === node.className;
}

// The switches of a look keep the name of their group, and what is chosen.
const KEPT = new Set(["name", "checked", "open", "style"]);

function morphNode(old, node) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== node.nodeValue) old.nodeValue = node.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!KEPT.has(name) && !node.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, node);
}

/** Call it once, when nothing more has happened for a while. */
export function debounced(call, delay) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, delay);
  };
}
