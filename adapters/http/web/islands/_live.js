// Whether the page is live: what comes by its stream is morphed in by htmx, and a lost one is told.
import { one } from "./_dom.js";

const html = document.documentElement;
const told = () => one("#rail-position");
let lost = 0;

document.addEventListener("htmx:sse:after:connection", () => {
  clearTimeout(lost);
  lost = 0;
  html.dataset.live = "on";
});
document.addEventListener("htmx:sse:error", () => {
  if (lost) return;
  lost = setTimeout(() => {
    html.dataset.live = "lost";
    if (told()) told().textContent = "not live, trying again";
  }, 3000);
});

// The address without what was only for the first answer: a reload need not wait for it again.
const address = new URL(location.href);
if (address.searchParams.has("after")) {
  address.searchParams.delete("after");
  history.replaceState(history.state, "", address);
}
