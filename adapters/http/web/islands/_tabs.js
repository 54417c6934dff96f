// Sections behind tabs; without this file all of them stand one under the other.
import { all, one, on, whenever } from "./_dom.js";

const links = (box) => {
  const listed = all("[data-tab-list] a[href^='#'], .pane-head .tabs a[href^='#']", box);
  return listed.filter((link) => link.closest("[data-tabs]") === box);
};
const panel = (link) => one(link.getAttribute("href"));

export const show = (link) => {
  const box = link.closest("[data-tabs]");
  for (const other of links(box)) {
    const is = other === link;
    if (is) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
    panel(other)?.classList.toggle("is-shown", is);
  }
  const name = box.dataset.tabs === "tried" ? "tried" : "tab";
  const kept = one(`input[type=hidden][name=${name}]`);
  if (kept && box.dataset.tabs !== "source") kept.value = links(box).indexOf(link);
};

on("click", "[data-tabs] a[href^='#']", (event, link) => {
  if (!panel(link)) return;
  event.preventDefault();
  show(link);
});
on("click", "[data-show]", (event, link) => {
  // What is typed stays typed: the pane is made anew from the form, the page is not.
  const kept = one("input[type=hidden][name=show]");
  if (!kept) return;
  event.preventDefault();
  kept.value = link.dataset.show;
  for (const other of all("[data-show]")) {
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
  kept.form.dispatchEvent(new Event("change", { bubbles: true }));
});
whenever((root) => {
  for (const box of all("[data-tabs]", root)) {
    if (links(box).length && !links(box).some((link) => link.ariaCurrent)) show(links(box)[0]);
  }
});
