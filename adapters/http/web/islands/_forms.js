// Forms: sent once, at once where a choice is all there is, with what was beside what is typed.
import { all, one, on } from "./_dom.js";

on("submit", "form[data-once]", (event, form) => {
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  form.classList.add("is-pending");
});
addEventListener("pageshow", () => {
  for (const form of all("form[data-sent]")) {
    delete form.dataset.sent;
    form.classList.remove("is-pending");
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-submit-on-change]")) form.requestSubmit();
});

// The name to write before something is lost.
const agree = (input) => {
  const button = document.getElementById(input.dataset.for);
  if (button) button.disabled = input.value.trim() !== input.dataset.confirm;
};
for (const input of all("[data-confirm]")) agree(input);
on("input", "[data-confirm]", (event, input) => agree(input));

// What a field was before it was changed here.
const isChanged = (field) => {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.matches("select")) return [...field.options].some((o) => o.selected !== o.defaultSelected);
  return field.value !== field.defaultValue;
};
const before = (field) => {
  if (field.type === "checkbox") return field.defaultChecked ? "yes" : "no";
  if (field.matches("select")) return [...field.options].find((o) => o.defaultSelected)?.text ?? "–";
  return field.defaultValue || "–";
};
const mark = (field) => {
  const box = field.closest(".field");
  const label = one("label", box);
  if (!box || !label || field.type === "password") return;
  const changed = isChanged(field);
  let was = one(".was[data-typed]", label);
  if (changed && !was) {
    was = Object.assign(document.createElement("span"), { className: "was" });
    was.dataset.typed = "";
    label.append(" ", was);
  }
  if (was) was.textContent = changed ? `was ${before(field)}` : "";
  if (!one(".was:not([data-typed])", label)) box.classList.toggle("field-new", changed);
};
on("input", "form[data-was] .field :is(input, textarea, select)", (event, field) => mark(field));
on("reset", "form[data-was]", (event, form) =>
  setTimeout(() => {
    for (const field of all(".field :is(input, textarea, select)", form)) mark(field);
    form.dispatchEvent(new Event("change", { bubbles: true }));
  }));

// Another section in the template editor: the last one is always empty.
on("click", "[data-add-section]", () => {
  const last = one("[data-new-section] a");
  last?.click();
  one(".panel.is-shown .input-name")?.focus();
});
on("input", ".input-name", (event, input) => {
  const link = one(`[data-tab-list] a[href="#${input.closest(".panel").id}"] .clip`);
  if (!link) return;
  link.textContent = input.value || "New section";
  link.classList.toggle("faint", !input.value);
});
