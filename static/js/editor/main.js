// The editor of a version. Without this script the page is a plain form, with every variant below the other.
import * as adding from "./adding.js";
import * as fields from "./fields.js";
import * as leaving from "./leaving.js";
import * as live from "./live.js";
import * as samples from "./samples.js";
import * as sight from "./sight.js";
import * as tabs from "./tabs.js";
import * as untouched from "./untouched.js";
import * as variables from "./variables.js";

const canWrite = Boolean(document.querySelector(".ed-write .ed-variants"));

/** What stands in the fields of a variant. */
function contentOf(panel) {
  const pairs = [...panel.querySelectorAll(".ed-field")].map((field) => {
    const control = field.querySelector("textarea, input, select");
    return [field.dataset.field, control.type === "checkbox" ? control.checked : control.value];
  });
  return Object.fromEntries(pairs);
}

/** In full; of one that is not shown and that nobody touched, the server knows the text. */
function variantOf(panel) {
  const key = panel.dataset.variant;
  if (panel !== tabs.shown() && untouched.isUntouched(panel)) return { key, id: panel.querySelector("[name$='-id']").value };
  return { key, channel: panel.dataset.channel, locale: tabs.place(panel).split(" ")[1], content: contentOf(panel) };
}

function question() {
  const kept = tabs.panels().filter((panel) => !tabs.isRemoved(panel));
  return {
    shown: tabs.shown()?.dataset.variant ?? "",
    variables: variables.written(),
    params: samples.params(),
    samples: samples.all(),
    variants: kept.map(variantOf),
  };
}

function received(told) {
  sight.show(told);
  variables.hear(told);
}

function prepare(panel) {
  untouched.remember(panel);
  fields.enhance(panel, variables.schema, live.ask);
  panel.querySelector("[name$='-locale']").addEventListener("change", () => tabs.draw());
  panel.querySelector("[name$='-DELETE']")?.addEventListener("change", () => {
    tabs.draw();
    live.ask();
  });
}

function raw(name, onchange) {
  const row = document.querySelector(`[data-raw=${name}]`);
  row.classList.add("ed-field");
  row.dataset.kind = "plain-json";
  fields.enhance(row.parentElement, variables.schema, () => {});
  document.getElementById(`id_${name}`).addEventListener("input", onchange);
  row.querySelector(".cm-content").addEventListener("focusout", onchange);
}

function write() {
  live.start(question, received);
  sight.start();
  samples.start(() => {
    variables.read();
    live.ask();
  });
  variables.start(live.ask);
  tabs.panels().forEach(prepare);
  raw("variables", () => {
    variables.read();
    live.ask();
  });
  raw("samples", () => {
    samples.draw();
    variables.read();
    live.ask();
  });
  tabs.start(() => live.ask());
  adding.start(prepare);
  adding.offerMissing();
  leaving.start(Boolean(document.querySelector("#conflict, .ed-variants .pc-error, #raw-parameters .pc-error")));
  live.askNow();
}

if (canWrite) write();
else if (tabs.panels().length) tabs.start(() => {});
