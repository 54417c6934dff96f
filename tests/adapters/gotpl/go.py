"""Go's own text/template with sprig, in a process that answers one line for each line."""

import json
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self

from tests.support.servers.testbed import made


@dataclass(slots=True, frozen=True)
class Outcome:
    """What came out, or where it failed: from 1, in characters; no column where none is told."""

    text: str | None
    says: str = ""
    line: int | None = None
    column: int | None = None


class GoTemplates(AbstractContextManager["GoTemplates"]):
    """Raises MissingServer when it was never built."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [made("templates") / "render"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def sprig_functions(self) -> frozenset[str]:
        return frozenset(self._ask({"functions": True})["functions"])

    def render(self, source: str, values: Mapping[str, Any]) -> Outcome:
        answer = self._ask({"template": source, "values": values})
        if "text" in answer:
            return Outcome(answer["text"])
        column = answer.get("column")
        if column is not None:
            line = source.encode().split(b"\n")[answer["line"] - 1]
            column = len(line[: column - 1].decode()) + 1
        return Outcome(None, answer["error"], answer.get("line"), column)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer
