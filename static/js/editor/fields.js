// The text areas of a variant as code editors. The text area stays, and holds what is written, for the form.
import * as cm from "../../vendor/codemirror/codemirror.js";
import { completions } from "./completion.js";

const views = new Map();
let latest = null;

const colours = cm.HighlightStyle.define([
  { tag: [cm.tags.controlKeyword, cm.tags.keyword, cm.tags.definitionKeyword, cm.tags.operatorKeyword, cm.tags.logicOperator], color: "var(--ed-word)" },
  { tag: [cm.tags.variableName, cm.tags.propertyName, cm.tags.special(cm.tags.variableName)], color: "var(--ed-name)" },
  { tag: cm.tags.brace, color: "var(--ed-name)", fontWeight: "600" },
  { tag: [cm.tags.string, cm.tags.attributeValue], color: "var(--ed-string)" },
  { tag: [cm.tags.number, cm.tags.bool, cm.tags.null], color: "var(--ed-number)" },
  { tag: [cm.tags.tagName, cm.tags.angleBracket], color: "var(--ed-tag)" },
  { tag: cm.tags.attributeName, color: "var(--ed-attribute)" },
  { tag: [cm.tags.comment, cm.tags.blockComment], color: "var(--ed-comment)", fontStyle: "italic" },
]);

const look = cm.EditorView.theme({
  "&": { backgroundColor: "var(--pc-ground)", border: "1px solid var(--ed-edge)", borderRadius: "6px", color: "var(--pc-strong)", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--color-primary-600)", outlineOffset: "-1px" },
  ".cm-content": { caretColor: "var(--pc-strong)", fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace", lineHeight: "1.6", padding: "7px 0" },
  ".cm-line": { padding: "0 10px" },
  ".cm-scroller": { maxHeight: "36rem", overflow: "auto" },
  ".cm-gutters": { backgroundColor: "var(--pc-soft)", border: "0", borderRadius: "6px 0 0 6px", color: "var(--pc-quiet)" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  ".cm-cursor": { borderLeftColor: "var(--pc-strong)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "var(--ed-selection) !important" },
  ".cm-tooltip": { backgroundColor: "var(--pc-ground)", border: "1px solid var(--ed-edge)", borderRadius: "6px", boxShadow: "0 8px 24px rgb(0 0 0 / 18%)", color: "var(--pc-strong)", overflow: "hidden" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 8px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--color-primary-600) !important", color: "#fff" },
  ".cm-completionDetail": { color: "var(--pc-quiet)", fontStyle: "normal", marginLeft: "1em" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-panels": { backgroundColor: "var(--pc-soft)", color: "var(--pc-strong)" },
});

const bases = {
  html: () => cm.html({ autoCloseTags: true }),
  json: () => cm.json(),
  // Text around the variables is only text.
  text: () => new cm.LanguageSupport(cm.plainText),
};

/** Put an editor in place of every text area of this part of the page. `schema()` gives the variables. */
export function enhance(root, schema, changed) {
  for (const field of root.querySelectorAll(".ed-field:not(.ed-ready)")) {
    const area = field.querySelector("textarea, input[type=text]");
    if (area && field.dataset.kind !== "choice") replace(field, area, schema, changed);
    else field.addEventListener("change", changed);
  }
}

function replace(field, area, schema, changed) {
  field.classList.add("ed-ready");
  const isLong = area.tagName === "TEXTAREA";
  const label = field.querySelector("label");
  const help = field.querySelector(".pc-help");
  const kind = field.dataset.kind;
  const view = new cm.EditorView({
    doc: area.value,
    extensions: [
      isLong ? many(area) : single,
      kind === "plain-json" ? cm.json() : cm.jinja({ base: bases[kind]() }),
      cm.autocompletion({ override: sources(kind, schema), activateOnTyping: true, icons: false }),
      common,
      cm.EditorView.contentAttributes.of({
        "aria-labelledby": label.id,
        ...(help?.id ? { "aria-describedby": help.id } : {}),
        spellcheck: kind === "text" ? "true" : "false",
      }),
      cm.EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          area.value = update.state.doc.toString();
          changed();
        }
        if (update.focusChanged && update.view.hasFocus && kind !== "plain-json") latest = update.view;
      }),
    ],
  });
  view.dom.classList.add(isLong ? "ed-long" : "ed-short");
  label.removeAttribute("for");
  label.addEventListener("click", () => view.focus());
  area.hidden = true;
  area.after(view.dom);
  views.set(area.id, { view, kind });
}

const sources = (kind, schema) => [
  ...(kind === "plain-json" ? [] : [completions(schema)]),
  ...(kind === "html" ? [cm.htmlCompletionSource] : []),
];

const common = [
  cm.history(),
  cm.drawSelection(),
  cm.highlightSpecialChars(),
  cm.bracketMatching(),
  cm.closeBrackets(),
  cm.EditorView.lineWrapping,
  cm.syntaxHighlighting(colours),
  look,
  cm.search({ top: true }),
  cm.keymap.of([...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.searchKeymap, ...cm.historyKeymap, ...cm.defaultKeymap]),
];

const many = (area) => [
  cm.lineNumbers(),
  cm.EditorView.theme({ ".cm-content, .cm-gutter": { minHeight: `${Math.min(Number(area.rows) || 4, 14) * 1.35}rem` } }),
];

// One line stays one: what is pasted loses its line breaks.
const single = [
  cm.EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [change, flattened(change)] : change)),
  cm.keymap.of([{ key: "Enter", run: () => true }]),
];

function flattened(change) {
  const doc = change.newDoc;
  return { changes: { from: 0, to: doc.length, insert: doc.toString().replace(/\s*\n\s*/g, " ") }, sequential: true };
}

export const viewOf = (id) => views.get(id)?.view;

/** Set the text of a field from outside, such as from the table of variables. */
export function write(id, value) {
  const view = viewOf(id);
  if (view && view.state.doc.toString() !== value) {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
  }
}

/** Put a variable where somebody last wrote; within JSON as a JSON value. */
export const insert = (name) => put(kindOf(target()) === "json" ? `{{ ${name}|tojson }}` : `{{ ${name} }}`);

/** Put a source there as it is. */
export function put(source) {
  const view = target();
  if (!view) return;
  view.dispatch(view.state.replaceSelection(source), { scrollIntoView: true });
  view.focus();
}

/** Put tags around what is selected there; ${…} are the places to fill in, one after the other by Tab. */
export function wrap(before, after) {
  const view = target();
  if (!view) return;
  const { from, to } = view.state.selection.main;
  const inner = view.state.sliceDoc(from, to).replaceAll("\\", "\\\\").replaceAll("${", "$\\{").replaceAll("#{", "#\\{");
  cm.snippet(`${before}${inner || "${…}"}${after}`)(view, null, from, to);
  view.focus();
}

const target = () => (latest?.dom.isConnected && latest.dom.offsetParent ? latest : firstVisible());
const kindOf = (view) => [...views.values()].find((each) => each.view === view)?.kind;
const firstVisible = () => [...views.values()].map((each) => each.view).find((view) => view.dom.offsetParent);

/** Underline what is wrong: problems of one field, each with a line and a message. */
export function mark(id, problems) {
  const view = viewOf(id);
  if (!view) return;
  const doc = view.state.doc;
  const found = problems.map(({ line, message, severity }) => {
    const place = doc.line(Math.min(Math.max(line || 1, 1), doc.lines));
    const indent = /^\s*/.exec(place.text)[0].length;
    return { from: Math.min(place.from + indent, place.to), to: place.to, message, severity: severity === "hint" ? "info" : severity };
  });
  view.dispatch(cm.setDiagnostics(view.state, found));
}

/** Put the cursor there. */
export function go(id, line) {
  const view = viewOf(id);
  if (!view) return document.getElementById(id)?.focus();
  const place = view.state.doc.line(Math.min(Math.max(line || 1, 1), view.state.doc.lines));
  view.dispatch({ selection: { anchor: place.to }, scrollIntoView: true });
  view.focus();
  view.dom.scrollIntoView({ block: "nearest", behavior: "smooth" });
}
