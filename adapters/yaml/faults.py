"""Why a YAML text is refused: a sentence for its author and the place it is about."""

from typing import Any

import yaml

_SHOWN = 40


class YamlFault(ValueError):
    """The sentence, and the line and column it points to (from 1).

    Where the sentence has `{}`, `quote` stands: a part of the text, or the beginning of it.
    """

    def __init__(
        self, sentence: str, line: int | None = None, column: int | None = None, quote: str = ""
    ) -> None:
        self._sentence = sentence
        self._quote = quote if len(quote) <= _SHOWN else f"{quote[:_SHOWN]}…"
        self.detail = sentence.replace("{}", self._quote)
        self.line = line
        self.column = column
        super().__init__(
            self.detail if line is None else f"line {line}, column {column}: {self.detail}"
        )

    def detail_for_reader_of(self, source: str) -> str:
        """The sentence, without a quote that could not be read in `source` anyway."""
        return self.detail if self._quote in source else self._sentence.replace("{}", "…")


def fault_at(text: str, offset: int, sentence: str) -> YamlFault:
    """A fault at a character of the text."""
    line_start = text.rfind("\n", 0, offset) + 1
    return YamlFault(sentence, text.count("\n", 0, offset) + 1, offset - line_start + 1)


def fault_of(event: yaml.Event, sentence: str, quote: str = "") -> YamlFault:
    """A fault where a parser's event begins."""
    return _fault_there(event.start_mark, sentence, quote)


def syntax_fault(text: str, error: yaml.YAMLError) -> YamlFault:
    """The parser's own words, plainer where we know better; no line beyond the text's end."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return YamlFault(str(error))
    mark: Any = error.problem_mark or error.context_mark
    if mark is not None and mark.index >= len(text):
        return fault_at(text, len(text.rstrip()), _words(error))
    if error.problem == "found character that cannot start any token" and mark is not None:
        return _misplaced_character(mark, text[mark.index : mark.index + 1])
    return _fault_there(mark, _words(error))


def _fault_there(mark: Any, sentence: str, quote: str = "") -> YamlFault:
    if mark is None:
        return YamlFault(sentence, quote=quote)
    return YamlFault(sentence, mark.line + 1, mark.column + 1, quote)


def _misplaced_character(mark: Any, character: str) -> YamlFault:
    if character == "\t":
        return _fault_there(mark, "a tab cannot indent: use spaces")
    return _fault_there(mark, "a value cannot start with {}: put it in quotes", character)


def _words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "the text is not YAML"
    mark, context = error.problem_mark, error.context_mark
    if problem.startswith("mapping values are not allowed"):
        return 'a key is not allowed here: put a value that holds ": " in quotes'
    if error.context and context is not None and mark is not None and context.line < mark.line:
        return f"{problem}, {error.context} that starts in line {context.line + 1}"
    return problem
