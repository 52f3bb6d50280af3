// Asks the server about the present text, a moment after the last change. Only the newest answer counts.
import { data, text } from "./data.js";
import { debounced } from "./dom.js";

const QUIET_MS = 350;
const SHOW_AFTER_MS = 250;
const AGAIN_MS = 4000;
const LONGEST_MS = 20000;

let build;
let receive;
let last = 0;
let controller = null;
let again;

export function start(question, onanswer) {
  build = question;
  receive = onanswer;
}

export const ask = debounced(send, QUIET_MS);
export const askNow = () => send();

async function send() {
  clearTimeout(again);
  controller?.abort();
  controller = new AbortController();
  last += 1;
  const mine = last;
  const sign = setTimeout(() => say(text("checking"), "busy"), SHOW_AFTER_MS);
  try {
    const answer = await fetched(controller.signal);
    if (mine !== last) return;
    say("");
    receive(answer);
  } catch (error) {
    if (mine !== last) return;
    say(error.told ?? text("away"), "bad");
    if (!error.told) again = setTimeout(send, AGAIN_MS);
  } finally {
    clearTimeout(sign);
  }
}

async function fetched(signal) {
  const answer = await fetch(data.live, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrftoken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    body: JSON.stringify(build()),
    signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
    redirect: "manual",
  });
  if (answer.type === "opaqueredirect" || answer.status === 403) throw Object.assign(new Error(), { told: text("signedOut") });
  if (answer.status >= 500) throw new Error(String(answer.status));
  if (!answer.ok) throw Object.assign(new Error(), { told: text("refused") });
  return answer.json();
}

function say(words, kind = "") {
  const state = document.querySelector(".ed-state");
  state.textContent = words;
  state.className = `ed-state ${kind ? `ed-${kind}` : ""}`;
  document.querySelector(".ed-look").classList.toggle("ed-stale", kind === "bad");
}
