// A task's log: it follows its end, is searched, and never grows beyond what a page can hold.
import { all, one, on } from "./_dom.js";

const MOST_LINES = 5000;
const pane = one("[data-log]");
if (pane) {
  const log = one(".log", pane);
  const button = one("[data-follow]", pane);
  const search = one("[data-log-search]", pane);
  const isFollowing = () => button.getAttribute("aria-pressed") === "true";
  const follow = (yes) => {
    button.setAttribute("aria-pressed", String(yes));
    if (yes) log.scrollTop = log.scrollHeight;
  };
  const find = () => {
    const wanted = search.value.trim().toLowerCase();
    for (const line of log.children) {
      line.hidden = wanted !== "" && !line.textContent.toLowerCase().includes(wanted);
    }
  };

  button.addEventListener("click", () => follow(!isFollowing()));
  log.addEventListener("wheel", (event) => event.deltaY < 0 && follow(false), { passive: true });
  search.addEventListener("input", find);
  new MutationObserver(() => {
    while (log.children.length > MOST_LINES) log.firstElementChild.remove();
    if (search.value) find();
    if (isFollowing()) log.scrollTop = log.scrollHeight;
  }).observe(log, { childList: true });

  if (location.hash.startsWith("#L")) follow(false);
  else if (isFollowing()) log.scrollTop = log.scrollHeight;
  on("click", ".log .no", () => follow(false));
  if (all(".log li", pane).length === 0) log.setAttribute("data-empty", "");
}
