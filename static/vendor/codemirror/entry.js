export { Compartment, EditorState } from "@codemirror/state";
export { EditorView, drawSelection, highlightSpecialChars, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { HighlightStyle, LanguageSupport, bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
export { autocompletion, snippet, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
export { forceLinting, setDiagnostics, lintGutter } from "@codemirror/lint";
export { search, searchKeymap } from "@codemirror/search";
export { html, htmlCompletionSource } from "@codemirror/lang-html";
export { json } from "@codemirror/lang-json";
export { jinja } from "@codemirror/lang-jinja";
export { tags } from "@lezer/highlight";

import { StreamLanguage } from "@codemirror/language";
/** Text without a grammar, as the base of templates that are neither HTML nor JSON. */
export const plainText = StreamLanguage.define({
  token: (stream) => {
    stream.skipToEnd();
    return null;
  },
});
