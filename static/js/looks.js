// Mails on a wide screen are made smaller where the page has less room than such a screen.
"use strict";
(() => {
  const WIDE = 720;
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width) target.style.setProperty("--look-fit", Math.min(1, contentRect.width / WIDE).toFixed(4));
    }
  });
  const watch = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.matches(".look-screen")) sizes.observe(node);
    node.querySelectorAll(".look-screen").forEach((screen) => sizes.observe(screen));
  };
  document.addEventListener("DOMContentLoaded", () => {
    watch(document.body);
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(watch))).observe(
      document.body,
      { childList: true, subtree: true },
    );
  });
})();
