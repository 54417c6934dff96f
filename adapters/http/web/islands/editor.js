// The YAML editor: a text area that CodeMirror stands over; only pages that edit load this file.
import { autocompletion, closeBrackets, closeBracketsKeymap, completeAnyWord } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { Decoration, EditorView, MatchDecorator, ViewPlugin, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const nonce = document.querySelector("script[data-editor]")?.nonce ?? "";

const actions = new MatchDecorator({ regexp: /\{\{.*?\}\}/g, decoration: Decoration.mark({ class: "tok-meta" }) });
const templateActions = ViewPlugin.fromClass(
  class {
    constructor(view) { this.decorations = actions.createDeco(view); }
    update(update) { this.decorations = actions.updateDeco(update, this.decorations); }
  },
  { decorations: (plugin) => plugin.decorations },
);

class YamlEditor extends HTMLElement {
  connectedCallback() {
    if (this.view) return;
    this.area = this.querySelector("textarea");
    this.view = new EditorView({
      parent: this,
      state: EditorState.create({
        doc: this.area.value,
        extensions: [
          EditorView.cspNonce.of(nonce),
          EditorState.readOnly.of(this.area.readOnly),
          EditorView.contentAttributes.of({ "aria-label": this.area.getAttribute("aria-label"), tabindex: "0" }),
          lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), indentOnInput(),
          indentUnit.of("  "), bracketMatching(), closeBrackets(), highlightActiveLine(),
          highlightActiveLineGutter(), highlightSelectionMatches(), templateActions,
          autocompletion({ override: [completeAnyWord] }),
          yaml(), syntaxHighlighting(classHighlighter),
          keymap.of([
            { key: "Escape", run: () => { this.view.contentDOM.blur(); return true; } },
            ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => update.docChanged && this.write()),
        ],
      }),
    });
    this.area.hidden = true;
    this.showFaults();
  }

  write() {
    this.area.value = this.view.state.doc.toString();
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  get section() {
    return this.dataset.section ?? this.closest(".panel")?.querySelector(".input-name")?.value ?? "";
  }

  showFaults() {
    const { doc } = this.view.state;
    const found = [...document.querySelectorAll("[data-fault]")]
      .filter((fault) => fault.dataset.section === this.section && fault.dataset.line)
      .filter((fault) => Number(fault.dataset.line) <= doc.lines)
      .map((fault) => {
        const line = doc.line(Number(fault.dataset.line));
        const from = Math.min(line.from + Math.max(0, Number(fault.dataset.column || 1) - 1), line.to);
        return { from, to: Math.max(from, line.to), severity: "error", message: fault.querySelector("span").lastChild.textContent.trim() };
      });
    this.view.dispatch(setDiagnostics(this.view.state, found));
  }

  goTo(number) {
    const line = this.view.state.doc.line(Math.min(Math.max(number, 1), this.view.state.doc.lines));
    this.view.dispatch({ selection: { anchor: line.from }, scrollIntoView: true });
    this.view.focus();
  }
}
customElements.define("yaml-editor", YamlEditor);

const editors = () => [...document.querySelectorAll("yaml-editor")];
document.addEventListener("htmx:after:settle", () => editors().forEach((editor) => editor.view && editor.showFaults()));
document.addEventListener("click", (event) => {
  const fault = event.target instanceof Element ? event.target.closest("[data-fault]") : null;
  if (!fault) return;
  const editor = editors().find((each) => each.section === fault.dataset.section);
  if (!editor) return;
  event.preventDefault();
  document.querySelector(`[data-tab-list] a[href="#${editor.closest(".panel").id}"]`)?.click();
  editor.goTo(Number(fault.dataset.line || 1));
});
