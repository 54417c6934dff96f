"""How Go writes values: as they are, and by the verbs of `printf`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gotime.go import Month, Time, Weekday

from adapters.gotpl.kinds import NOTHING, Byte, is_nil, is_whole, type_of
from adapters.gotpl.versions import Version

_LARGEST_WIDTH = 1_000_000
_LARGEST_CHARACTER = 0x10FFFF
_SPEAKS_FOR_ITSELF = (Version, Time, Month, Weekday)
_NAMES = {7: "a", 8: "b", 12: "f", 10: "n", 13: "r", 9: "t", 11: "v", 92: "\\"}
_SYNTAX = "v"
"""A flag of ours."""


def printed(*values: Any) -> str:
    """`print`: a space stands between two values of which neither is a string."""
    pieces: list[str] = []
    was_text = True
    for value in values:
        is_text = isinstance(value, str)
        if pieces and not is_text and not was_text:
            pieces.append(" ")
        pieces.append(plain(value))
        was_text = is_text
    return "".join(pieces)


def printed_line(*values: Any) -> str:
    """`println`: a space stands between all of them."""
    return " ".join([plain(value) for value in values]) + "\n"


def plain(value: Any) -> str:
    if type(value) is str:
        return value
    return _PLAIN.written(value, "v")


def printed_by(form: str, *values: Any) -> str:
    """`printf`"""
    return _Form(form, values).filled()


@dataclass(slots=True, frozen=True)
class _Verb:
    """What stands between the percent sign and the letter."""

    flags: str = ""
    width: int | None = None
    precision: int | None = None

    def has(self, flag: str) -> bool:
        return flag in self.flags

    # Values of every kind.

    def written(self, value: Any, verb: str, *, is_inner: bool = False) -> str:
        if is_nil(value) and (value is None or value is NOTHING):
            return self._nil(verb, is_inner=is_inner)
        if verb == "T":
            return self._padded(self._cut(type_of(value)))
        if verb == "p":
            return self._bad(value, verb)
        if isinstance(value, _SPEAKS_FOR_ITSELF) and verb in "vsxXq" and not self._is_syntax(verb):
            return self._text(str(value), verb)
        match value:
            case bool():
                return self._padded(str(value).lower()) if verb in "tv" else self._bad(value, verb)
            case int():
                return self._whole(value, verb)
            case float():
                return self._real(value, verb)
            case complex():
                return self._complex(value, verb)
            case str():
                return self._text(value, verb)
            case Mapping():
                return self._map(value, verb)
            case list() | tuple():
                return self._list(value, verb)
        return self._bad(value, verb)

    def _nil(self, verb: str, *, is_inner: bool) -> str:
        if is_inner:
            return "interface {}(nil)" if self._is_syntax(verb) else "<nil>"
        return self._padded("<nil>") if verb in "Tv" else f"%!{verb}(<nil>)"

    def _bad(self, value: Any, verb: str) -> str:
        return f"%!{verb}({type_of(value)}={self.written(value, 'v')})"

    def _is_syntax(self, verb: str) -> bool:
        return verb == "v" and self.has(_SYNTAX)

    def _map(self, value: Mapping[Any, Any], verb: str) -> str:
        pieces = []
        for key in sorted(value, key=str):
            inner = self.written(value[key], verb, is_inner=True)
            pieces.append(f"{self.written(key, verb, is_inner=True)}:{inner}")
        if self._is_syntax(verb):
            return f"{type_of(value)}{{{', '.join(pieces)}}}"
        return f"map[{' '.join(pieces)}]"

    def _list(self, value: Sequence[Any], verb: str) -> str:
        pieces = [self.written(item, verb, is_inner=True) for item in value]
        if not self._is_syntax(verb):
            return f"[{' '.join(pieces)}]"
        if is_nil(value):
            return f"{type_of(value)}(nil)"
        return f"{type_of(value)}{{{', '.join(pieces)}}}"

    # Texts.

    def _text(self, value: str, verb: str) -> str:
        if verb == "q" or self._is_syntax(verb):
            return self._padded(self._quoted(self._cut(value)))
        if verb in "vs":
            return self._padded(self._cut(value))
        if verb in "xX":
            return self._hexadecimal(value.encode(errors="replace"), verb)
        return self._bad(value, verb)

    def _quoted(self, value: str) -> str:
        if self.has("#") and _can_be_raw(value):
            return f"`{value}`"
        return quoted(value, '"', only_ascii=self.has("+"))

    def _hexadecimal(self, value: bytes, verb: str) -> str:
        value = value if self.precision is None else value[: self.precision]
        separator = " " if self.has(" ") else ""
        prefix = f"0{verb}" if self.has("#") else ""
        pieces: list[str] = []
        for byte in value:
            pieces.append((prefix if separator or not pieces else "") + format(byte, f"02{verb}"))
        return self._padded(separator.join(pieces))

    def _cut(self, value: str) -> str:
        return value if self.precision is None else value[: self.precision]

    # Numbers.

    def _whole(self, value: int, verb: str) -> str:
        if isinstance(value, Byte) and self._is_syntax(verb):
            return f"0x{value:x}"
        match verb:
            case "v" | "d":
                return self._digits(value, "d", "")
            case "b":
                return self._digits(value, "b", "0b" if self.has("#") else "")
            case "o":
                return self._digits(value, "o", "0" if self.has("#") else "")
            case "O":
                return self._digits(value, "o", "0o", "0" if self.has("#") else "")
            case "x" | "X":
                return self._digits(value, verb, f"0{verb}" if self.has("#") else "")
            case "c":
                return self._padded(_character(value))
            case "q":
                return self._padded(quoted(_character(value), "'", only_ascii=self.has("+")))
            case "U":
                return self._code_point(value)
        return self._bad(value, verb)

    def _digits(self, value: int, base: str, prefix: str, zero: str = "") -> str:
        sign = self._sign(value < 0)
        least = self.precision
        if least == 0 and value == 0:
            return " " * (self.width or 0)
        if least is None and self.has("0") and not self.has("-") and self.width is not None:
            least = self.width - len(sign)
        digits = format(abs(value), base).rjust(least or 0, "0")
        if prefix == "0" or zero:
            digits = digits if digits.startswith("0") else "0" + digits
            prefix = "" if prefix == "0" else prefix
        return self._spaced(sign + prefix + digits)

    def _sign(self, is_negative: bool) -> str:
        if is_negative:
            return "-"
        return "+" if self.has("+") else " " if self.has(" ") else ""

    def _code_point(self, value: int) -> str:
        code = value % 2**64
        shown = f"U+{code:X}".replace(
            "U+", "U+" + "0" * (max(self.precision or 0, 4) - len(f"{code:X}"))
        )
        if self.has("#") and code <= _LARGEST_CHARACTER and chr(code).isprintable():
            shown += f" '{chr(code)}'"
        return self._spaced(shown)

    def _real(self, value: float, verb: str, *, always_signed: bool = False) -> str:
        form = {"v": "g", "F": "f"}.get(verb, verb)
        if form not in tuple("beEfgGxX"):
            return self._bad(value, verb)
        precision = self.precision if self.precision is not None else 6 if form in "eEf" else None
        digits = _real_digits(abs(value), form, precision)
        is_negative = math.copysign(1.0, value) < 0
        if not math.isfinite(value):
            return self._unreal(value)
        if self.has("#") and form != "b":
            digits = _with_point(digits, form, precision)
        sign = self._sign(is_negative) or ("+" if always_signed else "")
        if self.has("0") and not self.has("-") and self.width is not None:
            return sign + digits.rjust(self.width - len(sign), "0")
        return self._spaced(sign + digits)

    def _unreal(self, value: float) -> str:
        if math.isnan(value):
            return self._spaced(f"{self._sign(is_negative=False)}NaN")
        return self._spaced("-Inf" if value < 0 else f"{self._sign(is_negative=False) or '+'}Inf")

    def _complex(self, value: complex, verb: str) -> str:
        if verb not in tuple("vbgGxXfFeE"):
            return self._bad(value, verb)
        imaginary = replace(self, flags=self.flags.replace("+", "") + "+")
        return f"({self._real(value.real, verb)}{imaginary._real(value.imag, verb)}i)"

    # Widths.

    def _padded(self, shown: str) -> str:
        """With what the flags say: zeros too."""
        if self.width is None:
            return shown
        if self.has("-"):
            return shown.ljust(self.width)
        return shown.rjust(self.width, "0" if self.has("0") else " ")

    def _spaced(self, shown: str) -> str:
        if self.width is None:
            return shown
        return shown.ljust(self.width) if self.has("-") else shown.rjust(self.width)


_PLAIN = _Verb()


class _Form:
    """A format, and the values that it has not used yet."""

    def __init__(self, form: str, values: Sequence[Any]) -> None:
        self._form = form
        self._values = values
        self._at = 0
        self._number = 0
        self._is_reordered = False
        self._is_good = True
        self._follows_index = False

    def filled(self) -> str:
        pieces: list[str] = []
        while (percent := self._form.find("%", self._at)) >= 0:
            pieces.append(self._form[self._at : percent])
            self._at = percent + 1
            self._directive(pieces)
        pieces.append(self._form[self._at :])
        if not self._is_reordered and self._number < len(self._values):
            pieces.append(self._extra())
        return "".join(pieces)

    def _directive(self, pieces: list[str]) -> None:
        self._is_good, self._follows_index = True, False
        flags = ""
        while self._peek() and self._peek() in "+-# 0":
            flags += self._peek()
            self._at += 1
        self._index()
        flags, width = self._width(flags, pieces)
        precision = self._precision(pieces)
        if not self._follows_index:
            self._index()
        verb = self._peek()
        if not verb:
            pieces.append("%!(NOVERB)")
            return
        self._at += 1
        pieces.append(self._shown(_Verb(flags, width, precision), verb))

    def _shown(self, how: _Verb, verb: str) -> str:
        if verb == "%":
            return "%"
        if not self._is_good:
            return f"%!{verb}(BADINDEX)"
        if self._number >= len(self._values):
            return f"%!{verb}(MISSING)"
        value = self._values[self._number]
        self._number += 1
        if verb == "v":
            # Here # asks for Go's own syntax, and + for the names of fields, which nothing has.
            how = replace(how, flags=how.flags.replace("#", _SYNTAX).replace("+", ""))
        return how.written(value, verb)

    def _width(self, flags: str, pieces: list[str]) -> tuple[str, int | None]:
        if self._peek() != "*":
            width = self._digits()
            if self._follows_index and width is not None:
                self._is_good = False
            return flags, width
        width = self._taken()
        if width is None:
            pieces.append("%!(BADWIDTH)")
        elif width < 0:
            return flags.replace("0", "") + "-", -width
        return flags, width

    def _precision(self, pieces: list[str]) -> int | None:
        if self._peek() != ".":
            return None
        self._at += 1
        if self._follows_index:
            self._is_good = False
        self._index()
        if self._peek() != "*":
            return self._digits() or 0
        precision = self._taken()
        if precision is None or precision < 0:
            pieces.append("%!(BADPREC)")
            return None
        return precision

    def _taken(self) -> int | None:
        """What a star stands for."""
        self._at += 1
        self._follows_index = False
        if self._number >= len(self._values):
            return None
        value = self._values[self._number]
        self._number += 1
        return value if is_whole(value) and abs(value) <= _LARGEST_WIDTH else None

    def _digits(self) -> int | None:
        number: int | None = None
        while self._peek() and self._peek() in "0123456789":
            if number is not None and number > _LARGEST_WIDTH:
                self._at = len(self._form)
                return None
            number = 10 * (number or 0) + int(self._peek())
            self._at += 1
        return number

    def _index(self) -> None:
        """`[2]` before a star, a width or a verb: which value is meant."""
        self._follows_index = False
        if self._peek() != "[":
            return
        self._is_reordered = True
        end = self._form.find("]", self._at)
        if end < 0 or len(self._form) - self._at < 3:
            self._at += 1
            self._is_good = False
            return
        inside = self._form[self._at + 1 : end]
        self._at = end + 1
        is_number = inside.isascii() and inside.isdigit()
        if is_number and 1 <= int(inside) <= len(self._values):
            self._number = int(inside) - 1
            self._follows_index = True
        else:
            self._is_good = False
            self._follows_index = is_number

    def _extra(self) -> str:
        left = []
        for value in self._values[self._number :]:
            is_nothing = value is None or value is NOTHING
            left.append("<nil>" if is_nothing else f"{type_of(value)}={plain(value)}")
        return f"%!(EXTRA {', '.join(left)})"

    def _peek(self) -> str:
        return self._form[self._at] if self._at < len(self._form) else ""


# Digits of real numbers.


def _real_digits(value: float, form: str, precision: int | None) -> str:
    if not math.isfinite(value):
        return ""
    if form == "b":
        return _binary(value)
    if form in "xX":
        return _hexadecimal(value, precision, form)
    if precision is None:
        return _shortest(value, form)
    return format(value, f".{max(precision, form in 'gG')}{form}")


def _shortest(value: float, form: str) -> str:
    mantissa, exponent = _scientific(value)
    if -4 <= exponent < 21:
        # Up to here %v writes all digits only of what is short enough for it.
        digits = mantissa.replace(".", "")
        if exponent < 6 or (form == "v" and exponent < 21):
            return _unfolded(digits, exponent)
    shown = f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return shown.upper() if form == "G" else shown


def _scientific(value: float) -> tuple[str, int]:
    if value == 0:
        return "0", 0
    mantissa, _, exponent = f"{value!r}e0".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    shift = int(exponent.partition("e")[0] or 0)
    leading = len(whole) - 1 if whole != "0" else -(len(fraction) - len(fraction.lstrip("0")) + 1)
    digits = digits.rstrip("0") or "0"
    return digits[0] + (f".{digits[1:]}" if len(digits) > 1 else ""), leading + shift


def _unfolded(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def _binary(value: float) -> str:
    if value == 0:
        return "0p-1074"
    fraction, exponent = math.frexp(value)
    shift = max(exponent - 53, -1074)
    return f"{int(math.ldexp(fraction, exponent - shift))}p{shift:+d}"


def _hexadecimal(value: float, precision: int | None, form: str) -> str:
    if value == 0:
        mantissa, exponent = 0, 0
    else:
        fraction, exponent = math.frexp(value)
        mantissa, exponent = int(fraction * 2**53), exponent - 1
    digits = f"{mantissa:014x}"
    if precision is not None and precision < 13:
        drop = 4 * (13 - precision)
        kept, rest = mantissa >> drop, mantissa & ((1 << drop) - 1)
        half = 1 << (drop - 1)
        kept += rest > half or (rest == half and kept & 1)
        if kept >> (4 * precision) > 1:
            kept, exponent = kept >> 1, exponent + 1
        digits = f"{kept:0{precision + 1}x}"
    # The first digit is one bit; what follows is the fraction.
    first, fraction_digits = digits[0], digits[1:]
    if precision is None:
        fraction_digits = fraction_digits.rstrip("0")
    else:
        fraction_digits = fraction_digits.ljust(precision, "0")
    point = "." if fraction_digits else ""
    shown = f"0x{first}{point}{fraction_digits}p{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return shown.upper() if form == "X" else shown


def _with_point(digits: str, form: str, precision: int | None) -> str:
    """The flag # shows the point always, and with %g and %x the zeros behind it."""
    power = max(digits.find(sign) for sign in ("pP" if form in "xX" else "eEpP"))
    mantissa, rest = (digits, "") if power < 0 else (digits[:power], digits[power:])
    if "." not in mantissa:
        mantissa += "."
    if form in "gGx":
        shown = len(mantissa.lstrip("0.").replace(".", ""))
        mantissa += "0" * ((6 if precision is None else precision) - shown)
    return mantissa + rest


# Quotes.


def quoted(value: str, quote: str, *, only_ascii: bool = False) -> str:
    """As Go writes it in its own sources."""
    escaped = [_escaped(character, quote, only_ascii=only_ascii) for character in value]
    return f"{quote}{''.join(escaped)}{quote}"


def _escaped(character: str, quote: str, *, only_ascii: bool) -> str:
    code = ord(character)
    if character == quote:
        return f"\\{character}"
    if code in _NAMES:
        return f"\\{_NAMES[code]}"
    if character.isprintable() and (code < 127 or not only_ascii):
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _can_be_raw(value: str) -> bool:
    return all(
        character == "\t" or (character not in "`\x7f\ufeff" and ord(character) >= 0x20)
        for character in value
    )


def _character(code: int) -> str:
    is_one = 0 <= code <= _LARGEST_CHARACTER and not 0xD800 <= code < 0xE000
    return chr(code) if is_one else "\ufffd"
