// Dialogs that ask for a time ask for it in the zone of the browser.
"use strict";
document.addEventListener("htmx:load", (event) => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  event.detail.elt.querySelectorAll("[data-zone]").forEach((field) => {
    field.value = zone;
    const help = field.closest("form").querySelector("[data-zone-name]");
    if (help) help.textContent = zone;
  });
});
