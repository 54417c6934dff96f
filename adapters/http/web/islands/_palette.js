// Ctrl K: the palette is a dialog over the page; its list comes from the server with each letter.
import { all, one, on } from "./_dom.js";

let dialog = null;

const options = () => all("[role=option]", dialog);
const chosen = () => options().find((option) => option.ariaSelected === "true");
const choose = (option) => {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  const input = one("input", dialog);
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
};

let asked = 0;
const ask = async () => {
  const mine = ++asked;
  const input = one("input", dialog);
  const address = new URL("/palette", location.href);
  address.searchParams.set("q", input.value);
  address.searchParams.set("here", location.pathname + location.search);
  const workspace = location.pathname.match(/^\/workspaces\/([^/]+)/)?.[1];
  if (workspace) address.searchParams.set("workspace", workspace);
  const at = new URLSearchParams(location.search).get("at");
  if (at) address.searchParams.set("at", at);
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (mine !== asked || !answer.ok) return;
  one("#palette-list", dialog).innerHTML = await answer.text();
  choose(options()[0]);
};

const make = () => {
  dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.id = "palette";
  dialog.setAttribute("aria-label", "Search or run");
  const icons = one(".find use").getAttribute("href").split("#")[0];
  dialog.innerHTML = `<label><svg class="icon" aria-hidden="true"><use href="${icons}#search"/></svg><input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Search or run" autocomplete="off" spellcheck="false"><kbd>Esc</kbd></label><div id="palette-list" role="listbox" aria-label="Found"></div><footer><span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>Enter</kbd> open</span><span class="only-wide"><kbd>Ctrl Enter</kbd> in a new tab</span><span class="push"><kbd>?</kbd> all keys</span></footer>`;
  document.body.append(dialog);
  const input = one("input", dialog);
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 80);
  });
  dialog.addEventListener("keydown", (event) => {
    const found = options();
    const at = found.indexOf(chosen());
    if (event.key === "ArrowDown") choose(found[(at + 1) % found.length]);
    else if (event.key === "ArrowUp") choose(found[(at + found.length - 1) % found.length]);
    else if (event.key === "Enter" && chosen()) {
      if (event.ctrlKey || event.metaKey) open(chosen().href, "_blank", "noopener");
      else chosen().click();
    } else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
};

export const openPalette = () => {
  if (!dialog) make();
  if (dialog.open) return dialog.close();
  dialog.showModal();
  const input = one("input", dialog);
  input.value = "";
  input.focus();
  ask();
};
on("click", "[data-palette]", (event) => {
  if (event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openPalette();
});
