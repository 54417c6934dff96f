// The keys of the design language. None is without a control that one can see.
import { all, one, on, isPast, isWriting } from "./_dom.js";
import { openPalette } from "./_palette.js";
import { hasList, move, tick } from "./_rows.js";

const sideLink = (name) => all(".side a").find((link) => link.title === name);
const places = { f: "Fleet", c: "Clusters", k: "Tasks", t: "Templates", a: "Audit", o: "Tokens", s: "System" };

let help = null;
const showHelp = async () => {
  if (!help) {
    help = document.createElement("dialog");
    help.className = "dialog";
    help.setAttribute("aria-label", "Keyboard help");
    const answer = await fetch("/keys", { headers: { "HX-Request": "true" } });
    if (!answer.ok) return location.assign("/keys");
    help.innerHTML = `<form method="dialog"><header><h2>Keys</h2><button class="btn push">Close</button></header><div class="dialog-body">${await answer.text()}</div></form>`;
    document.body.append(help);
  }
  help.showModal();
};
on("click", "[data-keys-help]", (event) => {
  event.preventDefault();
  showHelp();
});

const escape = () => {
  if (one(":popover-open")) return;
  if (isWriting(document.activeElement)) document.activeElement.blur();
  else if (isPast()) one("[data-now]")?.click();
};

const acts = {
  "/": () => one("#filter")?.focus(),
  j: () => hasList() && move(1),
  k: () => hasList() && move(-1),
  x: tick,
  n: () => one("a[data-page=next]")?.click(),
  p: () => one("a[data-page=prev]")?.click(),
  t: () => one(".rail-hand")?.focus(),
  c: () => one("[data-check]:not([disabled])")?.click(),
  e: () => one("[data-edit]")?.click(),
  "[": () => one("[data-before]")?.click(),
  "]": () => one("[data-after]")?.click(),
  "?": showHelp,
};

let isGoing = false;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openPalette();
  }
  if (one("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return escape();
  if (isWriting(event.target)) return;
  if (isGoing) {
    isGoing = false;
    const link = places[event.key] && sideLink(places[event.key]);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  if (event.key === "g") {
    isGoing = true;
    setTimeout(() => (isGoing = false), 1500);
  } else if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});
