// Looks for news every few seconds while somebody looks at the page, and replaces the lists where there are any.
const PAUSE_MS = 3000;

async function refresh() {
  if (document.hidden) return;
  try {
    const reply = await fetch(location.pathname);
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("main");
    const shown = document.querySelector("main");
    if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceWith(fresh);
  } catch {
    // The receiver is down for the moment; the next look may find it again.
  }
}

setInterval(refresh, PAUSE_MS);
