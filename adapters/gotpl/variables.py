"""The variables of one template while it is run."""

from typing import Any

from adapters.gotpl.faults import ExecutionFault


class Variables:
    """Of those that share a name the latest is meant; `$` is the dot that the template began with.

    A block remembers how many there were before it, and in the end keeps only those.
    """

    def __init__(self, dot: Any) -> None:
        self._known: list[tuple[str, Any]] = [("$", dot)]

    def __len__(self) -> int:
        return len(self._known)

    def keep(self, count: int) -> None:
        del self._known[count:]

    def value(self, name: str) -> Any:
        """Raises ExecutionFault."""
        for known, value in reversed(self._known):
            if known == name:
                return value
        raise ExecutionFault(f"there is no variable {name}")

    def bind(self, name: str, value: Any, *, is_assignment: bool) -> None:
        """Raises ExecutionFault where a variable is assigned to that was never declared."""
        if is_assignment:
            self._assign(name, value)
        else:
            self._known.append((name, value))

    def _assign(self, name: str, value: Any) -> None:
        for place in range(len(self._known) - 1, -1, -1):
            if self._known[place][0] == name:
                self._known[place] = (name, value)
                return
        raise ExecutionFault(f"there is no variable {name}: declare it with :=")
