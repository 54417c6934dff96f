// The few words in which the behaviours find things.
export const one = (css, root = document) => root.querySelector(css);
export const all = (css, root = document) => [...root.querySelectorAll(css)];

/** Listen on the document for events of elements that match, also of those that come later. */
export const on = (type, css, act, options) =>
  document.addEventListener(type, (event) => {
    const element = event.target instanceof Element ? event.target.closest(css) : null;
    if (element) act(event, element);
  }, options);

/** Do it now, and again whenever a script has put something new into the page. */
export const whenever = (act) => {
  act(document);
  document.addEventListener("htmx:after:settle", (event) => {
    const root = event.target instanceof Element ? event.target : document;
    act(root.parentElement ?? root);
  });
};

/** A part of a page, with the line along the rail while it is on its way; null when it fails. */
export const fetched = async (address, beside) => {
  beside.classList.add("htmx-request");
  const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
  beside.classList.remove("htmx-request");
  if (!answer?.ok) return null;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  return template.content;
};

/** Whether the person is writing, so that a key is a letter. */
export const isWriting = (target) =>
  target instanceof Element &&
  Boolean(target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable], .cm-editor"));

export const isPast = () => "at" in document.documentElement.dataset;
