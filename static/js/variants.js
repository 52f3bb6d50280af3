// Shows, in a new variant, the fields of the chosen channel alone.
"use strict";
(() => {
  const show = (select) => {
    const form = select.closest(".form-group, form");
    for (const set of form.querySelectorAll(".pc-set[data-channel]")) {
      set.hidden = set.dataset.channel !== select.value;
    }
  };
  const all = () => document.querySelectorAll("select[data-chooses-channel]").forEach(show);
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-chooses-channel]")) show(event.target);
  });
  document.addEventListener("formset:added", all);
  document.addEventListener("DOMContentLoaded", all);
})();
