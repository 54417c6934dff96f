// Theme and density change at once; the cookie that the server reads is set by the same form.
import { all, on } from "./_dom.js";

const html = document.documentElement;
const isDark = () =>
  html.dataset.theme ? html.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

const keep = (name, value) => {
  const body = new URLSearchParams({ [name]: value, back: location.pathname });
  fetch("/preferences", { method: "POST", body, redirect: "manual", keepalive: true });
};

const apply = (name, value) => {
  if (value) html.dataset[name] = value;
  else delete html.dataset[name];
  for (const button of all(`button[name=${name}][aria-pressed]`)) {
    button.setAttribute("aria-pressed", String(button.value === value));
  }
  keep(name, value);
};

on("click", "[data-theme-switch] button", (event) => {
  event.preventDefault();
  apply("theme", isDark() ? "light" : "dark");
});
on("click", "[data-theme-choice] button, [data-density-choice] button", (event, button) => {
  event.preventDefault();
  apply(button.name, button.value);
});
