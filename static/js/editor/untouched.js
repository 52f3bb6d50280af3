// Variants that nobody has touched since the page came need not travel: the server has them.
const before = new Map();

const controls = (panel) => [...panel.querySelectorAll(`[name^="${panel.dataset.variant}-"]`)];
const stateOf = (panel) =>
  JSON.stringify(controls(panel).map((control) => (control.type === "checkbox" ? control.checked : control.value)));

/** Only of what is stored just as the page shows it; after a refused save it is not. */
export function remember(panel) {
  if (panel.dataset.stored) before.set(panel.dataset.variant, stateOf(panel));
}

export const isUntouched = (panel) => before.get(panel.dataset.variant) === stateOf(panel);

/** What is sent of an untouched one: that it is there. */
const KEPT = ["id", "version", "channel"];

export function leaveOut(panels, formData) {
  for (const panel of panels.filter(isUntouched)) {
    const prefix = `${panel.dataset.variant}-`;
    const names = [...new Set(formData.keys())].filter((name) => name.startsWith(prefix));
    names.filter((name) => !KEPT.includes(name.slice(prefix.length))).forEach((name) => formData.delete(name));
  }
}
