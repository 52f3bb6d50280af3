// A new variant from the menu, or from a channel of the route that nothing is written for.
import { data, text } from "./data.js";
import { make, icon } from "./dom.js";
import * as tabs from "./tabs.js";

let made = () => {};

export function start(onmade) {
  made = onmade;
  const menu = document.getElementById("add-variant");
  if (!menu) return;
  menu.querySelector("#add-button").addEventListener("click", (event) => {
    event.preventDefault();
    const [channel, locale, copy] = ["channel", "locale", "copy"].map((name) => menu.querySelector(`#add-${name}`).value);
    if (add(channel, locale.trim().toLowerCase().replaceAll("_", "-"), copy, menu.querySelector(".pc-error"))) menu.open = false;
  });
  menu.addEventListener("toggle", () => menu.open && offer(menu));
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
    if (event.key === "Enter" && event.target.tagName === "INPUT") {
      event.preventDefault();
      menu.querySelector("#add-button").click();
    }
  });
  document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
}

/** The channel's name for people; empty where there is none of this name. */
export const nameOf = (channel) => document.querySelector(`#add-channel option[value="${CSS.escape(channel ?? "")}"]`)?.textContent ?? "";

/** Open the menu with this choice, for what is missing. */
export function propose(channel, locale) {
  const menu = document.getElementById("add-variant");
  if (!menu) return;
  // After the click that led here, which would close it.
  setTimeout(() => {
    menu.open = true;
    offer(menu);
    menu.querySelector("#add-channel").value = channel;
    menu.querySelector("#add-locale").value = locale;
    menu.querySelector("#add-button").focus();
    menu.scrollIntoView({ block: "nearest" });
  });
}

/** What can be copied is what there is now, the one that is shown first. */
function offer(menu) {
  const select = menu.querySelector("#add-copy");
  const options = tabs.panels().map((panel) => new Option(label(panel), panel.dataset.variant));
  select.replaceChildren(select.options[0], ...options);
  const now = tabs.shown();
  if (now) {
    select.value = now.dataset.variant;
    menu.querySelector("#add-channel").value = now.dataset.channel;
  }
}

const label = (panel) => [panel.dataset.label, panel.querySelector("[name$='-locale']").value].filter(Boolean).join(" · ");

function add(channel, locale, copy, complaint) {
  const place = `${channel} ${locale}`;
  const isTaken = tabs.panels().some((panel) => tabs.place(panel) === place);
  if (complaint) {
    complaint.hidden = !isTaken;
    complaint.textContent = isTaken ? text("twice") : "";
  }
  if (isTaken) return false;
  const source = tabs.panels().find((panel) => panel.dataset.variant === copy);
  const panel = blank(channel);
  fill(panel, channel, locale, source);
  document.querySelector(".ed-variants").append(panel);
  document.querySelector(".ed-none").hidden = true;
  made(panel);
  offerMissing();
  tabs.draw();
  tabs.show(panel);
  return true;
}

function blank(channel) {
  const total = document.querySelector("[name$='-TOTAL_FORMS']");
  const template = document.querySelector(`template[data-blank="${channel}"]`);
  const holder = document.createElement("div");
  holder.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
  total.value = Number(total.value) + 1;
  return holder.firstElementChild;
}

const controls = (panel) =>
  new Map([...panel.querySelectorAll(".ed-field")].map((field) => [field.dataset.field, field.querySelector("textarea, input, select")]));

function fill(panel, channel, locale, source) {
  panel.querySelector("[name$='-locale']").value = locale;
  if (!source) return;
  const [from, to] = [controls(source), controls(panel)];
  for (const [before, after] of fitting(source.dataset.channel, channel, from)) {
    if (!to.has(after)) continue;
    if (to.get(after).type === "checkbox") to.get(after).checked = from.get(before).checked;
    else to.get(after).value = from.get(before).value;
  }
}

/** Pairs of fields: all of the same channel, else title, text and link. */
function fitting(source, target, from) {
  if (source === target) return [...from.keys()].map((name) => [name, name]);
  const [given, wanted] = [data.roles[source] ?? {}, data.roles[target] ?? {}];
  return Object.keys(given).filter((role) => wanted[role]).map((role) => [given[role], wanted[role]]);
}

/** Buttons for the channels of the route that nothing is written for yet. */
export function offerMissing() {
  const bar = document.querySelector(".ed-missing");
  const written = new Set(tabs.panels().map((panel) => panel.dataset.channel));
  const wanted = JSON.parse(bar.dataset.missing).filter(([channel]) => !written.has(channel));
  bar.replaceChildren(
    ...wanted.map(([channel, name]) => {
      const onclick = () => add(channel, "", tabs.shown()?.dataset.variant);
      return make("button", { type: "button", class: "ed-wanted", onclick }, icon("add"), text("missing", name));
    }),
  );
}
