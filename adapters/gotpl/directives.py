"""A directive of `printf` tells how a value is to stand: how wide, how exact, with which signs."""

from dataclasses import dataclass, replace

_SYNTAX = "v"
"""A flag of ours."""


@dataclass(slots=True, frozen=True)
class Directive:
    """What stands between the percent sign and the verb."""

    flags: str = ""
    width: int | None = None
    precision: int | None = None

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def for_any_value(self) -> "Directive":
        """As the verb `v` has it: # asks for Go's syntax, and + for names that nothing has."""
        return replace(self, flags=self.flags.replace("#", _SYNTAX).replace("+", ""))

    def is_syntax(self, verb: str) -> bool:
        """Whether the value is to stand as in a source of Go's."""
        return verb == "v" and self.has(_SYNTAX)

    def always_signed(self) -> "Directive":
        return replace(self, flags=self.flags.replace("+", "") + "+")

    def sign(self, *, is_negative: bool) -> str:
        if is_negative:
            return "-"
        return "+" if self.has("+") else " " if self.has(" ") else ""

    def zeros_up_to(self) -> int | None:
        """The width, where it is filled with zeros that come after the sign."""
        return self.width if self.has("0") and not self.has("-") else None

    def cut(self, shown: str) -> str:
        return shown[: self.precision]

    def padded(self, shown: str) -> str:
        """With what the flags say: zeros too."""
        return self._widened(shown, "0" if self.has("0") else " ")

    def spaced(self, shown: str) -> str:
        """Zeros are already in it."""
        return self._widened(shown, " ")

    def _widened(self, shown: str, filling: str) -> str:
        if self.width is None:
            return shown
        return shown.ljust(self.width) if self.has("-") else shown.rjust(self.width, filling)


PLAIN = Directive()
