// Shows of a route what is needed: one empty place more than is used, and what each channel but the last waits for,
// where one channel follows another.
"use strict";
(() => {
  const arrange = (route) => {
    const mode = document.querySelector("select[name=route_mode]");
    const isChain = !mode || mode.value === "first";
    const places = [...route.querySelectorAll("[data-place]")];
    const isUsed = (place) => place.querySelector("select").value !== "";
    const last = places.map(isUsed).lastIndexOf(true);
    places.forEach((place, index) => {
      place.hidden = index > last + 1;
      place.querySelector("[data-step]").hidden = !isChain || !isUsed(place) || index === last;
    });
  };
  const all = () => document.querySelectorAll("[data-route]").forEach(arrange);
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[name=route_mode], [data-route] select")) all();
  });
  document.addEventListener("DOMContentLoaded", all);
})();
