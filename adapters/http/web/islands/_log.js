// A task's log: it follows its end, loads what comes into sight, and is searched.
import { all, fetched, one, on } from "./_dom.js";

const MOST_LINES = 5000;
const pane = one("[data-log]");
if (pane) {
  const log = one(".log", pane);
  const button = one("[data-follow]", pane);
  const search = one("[data-log-search]", pane);
  const number = (line) => Number(line.dataset.no);
  const lines = () => all("li[data-no]", log);
  const isFollowing = () => button?.getAttribute("aria-pressed") === "true";
  const isAtEnd = () => log.scrollTop + log.clientHeight >= log.scrollHeight - 2;
  const toEnd = () => (log.scrollTop = log.scrollHeight);
  const follow = (yes) => {
    button?.setAttribute("aria-pressed", String(yes));
    if (yes) toEnd();
  };

  const find = (found) => {
    const wanted = search.value.trim().toLowerCase();
    for (const line of found) {
      line.hidden = wanted !== "" && !line.textContent.toLowerCase().includes(wanted);
    }
  };
  search.addEventListener("input", () => find(lines()));

  // What is beyond either end of what is shown comes when it comes into sight.
  const load = async (item) => {
    const link = one("a[data-more]", item);
    if (!link || item.dataset.asked) return;
    item.dataset.asked = "1";
    const content = await fetched(link.dataset.more, item);
    if (!content) return delete item.dataset.asked;
    if (!item.isConnected) return;
    if (search.value) find(all("li[data-no]", content));
    const isAbove = item === log.firstElementChild;
    const [top, height] = [log.scrollTop, log.scrollHeight];
    item.replaceWith(content);
    if (isAbove) log.scrollTop = top + log.scrollHeight - height;
    document.dispatchEvent(new CustomEvent("htmx:after:settle"));
    watch();
  };
  const watcher = new IntersectionObserver(
    (seen) => seen.filter((each) => each.isIntersecting).forEach((each) => load(each.target)),
    { root: log, rootMargin: "300px" },
  );
  const watch = () => all(".log-more", log).forEach((item) => watcher.observe(item));

  const earlier = (before) => {
    const item = Object.assign(document.createElement("li"), { className: "log-more" });
    const link = Object.assign(document.createElement("a"), { textContent: "Earlier lines" });
    const address = new URL(log.dataset.piece, location.href);
    address.searchParams.set("before", before);
    link.href = link.dataset.more = address.pathname + address.search;
    item.append(link);
    return item;
  };
  const trim = () => {
    const shown = lines();
    if (shown.length <= MOST_LINES) return;
    const kept = shown.findIndex((line, at) => at >= shown.length - MOST_LINES && line.id);
    for (const line of shown.slice(0, kept)) line.remove();
    one(".log-more", log)?.remove();
    log.prepend(earlier(number(shown[kept])));
    watch();
  };

  // A stream that comes back tells again what was told before.
  let last = number(lines().at(-1) ?? log) || 0;
  const drop = (records) => {
    for (const record of records.filter((each) => !each.nextSibling)) {
      for (const line of [...record.addedNodes].filter((node) => node.dataset?.no)) {
        if (number(line) <= last) line.remove();
      }
    }
    last = Math.max(last, number(lines().at(-1) ?? log) || 0);
  };
  new MutationObserver((records) => {
    drop(records);
    if (search.value) find(lines());
    if (!isFollowing()) return;
    trim();
    toEnd();
  }).observe(log, { childList: true });

  // The address of a line names the piece that it is in.
  const target = /^#L\d+$/.test(location.hash) ? location.hash : "";
  on("click", ".log a.no", (event, link) => {
    event.preventDefault();
    follow(false);
    const address = new URL(link.href);
    history.replaceState(history.state, "", address.pathname + address.search);
    location.hash = address.hash;
  });
  button?.addEventListener("click", () => follow(!isFollowing()));
  if (target) {
    follow(false);
    one(target, log)?.scrollIntoView({ block: "center" });
  } else if (!new URLSearchParams(location.search).has("from")) toEnd();
  log.addEventListener("scroll", () => isAtEnd() || follow(false), { passive: true });
  watch();
}
