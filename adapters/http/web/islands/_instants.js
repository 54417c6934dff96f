// Fields of date and time: filled in in the reader's zone and sent in UTC, so that both mean the same.
import { all, whenever } from "./_dom.js";

const two = (number) => String(number).padStart(2, "0");
const written = (t) =>
  `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}T${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;

whenever((root) => {
  for (const field of all("input[data-instant]", root)) {
    field.value = written(new Date(field.dataset.instant));
    field.removeAttribute("data-instant");
  }
});

document.addEventListener("formdata", (event) => {
  for (const field of all("input[type=datetime-local]", event.target)) {
    if (!field.name || !field.value) continue;
    event.formData.set(field.name, new Date(field.value).toISOString().replace(".000Z", "Z"));
  }
});
