// Ctrl+S saves and stays; leaving with changes that are not saved asks first.
import { text } from "./data.js";
import * as tabs from "./tabs.js";
import { leaveOut } from "./untouched.js";

let form;
let before;
let isSaving = false;

const state = () => new URLSearchParams([...new FormData(form)].filter(([name]) => !name.startsWith("_add_"))).toString();
export const isChanged = () => before !== undefined && state() !== before;

export function start(isUnsaved) {
  form = document.getElementById("templateversion_form");
  before = isUnsaved ? "" : state();
  form.addEventListener("submit", () => (isSaving = true));
  form.addEventListener("formdata", (event) => isSaving && leaveOut(tabs.panels(), event.formData));
  window.addEventListener("beforeunload", (event) => {
    if (!isSaving && isChanged()) event.preventDefault();
  });
  // The steps of a version's life are about what is stored.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "modal-content" && !isSaving && isChanged() && !confirm(text("goOn"))) event.preventDefault();
  });
  window.addEventListener("pageshow", () => (isSaving = false));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit(document.querySelector(".ed-first"));
    }
  });
}
