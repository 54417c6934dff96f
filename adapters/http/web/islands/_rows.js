// Rows: the cursor, ticking them, opening those of the audit, and what fades when it has changed.
import { all, fetched, one, on, whenever } from "./_dom.js";

const list = () => one("[data-keys]");
const rows = () =>
  all("[data-keys] tbody:not(.grid-news) > tr:not(.grid-open), [data-keys] .event > summary, [data-keys] > li > a");

const cursor = () => rows().find((row) => row.matches(".is-cursor")) ?? null;

export const move = (by) => {
  const found = rows();
  if (!found.length) return;
  const at = found.indexOf(cursor());
  const next = found[Math.max(0, Math.min(found.length - 1, at + by))];
  for (const row of found) row.classList.toggle("is-cursor", row === next);
  next.scrollIntoView({ block: "nearest" });
  (next.matches("summary, a") ? next : one(".main-cell a, a", next))?.focus({ preventScroll: true });
};
export const tick = () => {
  const row = document.activeElement?.closest("tr") ?? cursor();
  row && one("td.pick input", row)?.click();
};
export const hasList = () => Boolean(list());

const count = () => {
  const form = one("[data-rows]");
  if (!form) return;
  const boxes = all("td.pick input:not(:disabled)", form);
  const ticked = boxes.filter((box) => box.checked).length;
  const told = one("[data-count]", form);
  if (told) told.textContent = ticked;
  const whole = one("[data-all]", form);
  if (whole) {
    whole.checked = ticked > 0 && ticked === boxes.length;
    whole.indeterminate = ticked > 0 && ticked < boxes.length;
  }
};
on("change", "td.pick input", count);
on("change", "[data-all]", (event, whole) => {
  for (const box of all("[data-rows] td.pick input:not(:disabled)")) box.checked = whole.checked;
  count();
});
on("reset", "[data-rows]", () => setTimeout(count));
whenever(count);

on("animationend", ".is-fresh", (event, row) => row.classList.remove("is-fresh"));

on("click", "a[data-open]", async (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const body = link.closest("tbody");
  const row = link.closest("tr");
  const open = one(".grid-open", body);
  row.classList.toggle("is-on", !open);
  link.setAttribute("aria-expanded", String(!open));
  if (open) return open.remove();
  const content = await fetched(link.dataset.open, row);
  if (!content) return location.assign(link.href);
  row.after(content);
  document.dispatchEvent(new CustomEvent("htmx:after:settle"));
});

// A row of the history loads what was before and after when it opens for the first time.
document.addEventListener("toggle", async (event) => {
  const body = event.target.open ? one("[data-load]", event.target) : null;
  if (!body) return;
  const address = body.dataset.load;
  delete body.dataset.load;
  const content = await fetched(address, body);
  if (!content) return (body.dataset.load = address);
  body.replaceWith(content);
  document.dispatchEvent(new CustomEvent("htmx:after:settle"));
}, true);
