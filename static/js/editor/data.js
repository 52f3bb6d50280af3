// What the server tells the page once: addresses, examples, and the words of the reader's language.
const node = document.getElementById("editor-data");
export const data = node ? JSON.parse(node.textContent) : { texts: {} };

/** The text of this name; %s stands for the value. */
export const text = (name, value = "") => (data.texts[name] ?? name).replace("%s", value);
