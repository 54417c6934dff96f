// Copying, and closing what was said.
import { one, on } from "./_dom.js";

on("click", "[data-copy]", async (event, button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Without https a browser has no clipboard: what is beside the button is selected instead.
    const text = one("code", button.parentElement);
    if (text) getSelection().selectAllChildren(text);
    return;
  }
  const icon = one("use", button);
  const before = icon.getAttribute("href");
  icon.setAttribute("href", before.replace(/#.*/, "#check"));
  setTimeout(() => icon.setAttribute("href", before), 1200);
});
on("click", "[data-close-toast]", (event, button) => button.closest(".toast").remove());
setTimeout(() => one(".toast")?.remove(), 8000);
