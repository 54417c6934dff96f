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

/** Whether the person is writing, so that a key is a letter. */
export const isWriting = (target) =>
  target instanceof Element &&
  Boolean(target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable], .cm-editor"));

export const isPast = () => "at" in document.documentElement.dataset;
