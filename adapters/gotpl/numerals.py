"""Numbers by the verbs of `printf`: each function gives None where the verb is not for its kind."""

import math

from adapters.gotpl.digits import digits_of, with_point
from adapters.gotpl.directives import Directive
from adapters.gotpl.kinds import Byte
from adapters.gotpl.texts import LARGEST_CHARACTER, character, quoted


def whole(value: int, verb: str, how: Directive) -> str | None:
    if isinstance(value, Byte) and how.is_syntax(verb):
        return f"0x{value:x}"
    is_marked = how.has("#")
    match verb:
        case "v" | "d":
            return _digits(value, "d", how)
        case "b":
            return _digits(value, "b", how, "0b" if is_marked else "")
        case "o":
            return _digits(value, "o", how, starts_with_zero=is_marked)
        case "O":
            return _digits(value, "o", how, "0o", starts_with_zero=is_marked)
        case "x" | "X":
            return _digits(value, verb, how, f"0{verb}" if is_marked else "")
        case "c":
            return how.padded(character(value))
        case "q":
            return how.padded(quoted(character(value), "'", only_ascii=how.has("+")))
        case "U":
            return _code_point(value, how)
    return None


def _digits(
    value: int, base: str, how: Directive, prefix: str = "", *, starts_with_zero: bool = False
) -> str:
    sign = how.sign(is_negative=value < 0)
    least = how.precision
    if least == 0 and value == 0:
        return " " * (how.width or 0)
    if least is None and (width := how.zeros_up_to()) is not None:
        least = width - len(sign)
    digits = format(abs(value), base).rjust(least or 0, "0")
    if starts_with_zero and not digits.startswith("0"):
        digits = f"0{digits}"
    return how.spaced(sign + prefix + digits)


def _code_point(value: int, how: Directive) -> str:
    code = value % 2**64
    shown = "U+" + f"{code:X}".rjust(max(how.precision or 0, 4), "0")
    if how.has("#") and code <= LARGEST_CHARACTER and chr(code).isprintable():
        shown += f" '{chr(code)}'"
    return how.spaced(shown)


def real(value: float, verb: str, how: Directive) -> str | None:
    form = {"v": "g", "F": "f"}.get(verb, verb)
    if form not in tuple("beEfgGxX"):
        return None
    if not math.isfinite(value):
        return how.spaced(_not_finite(value, how))
    sign = how.sign(is_negative=math.copysign(1.0, value) < 0)
    digits = _real_digits(abs(value), form, how)
    if (width := how.zeros_up_to()) is not None:
        return sign + digits.rjust(width - len(sign), "0")
    return how.spaced(sign + digits)


def _not_finite(value: float, how: Directive) -> str:
    if math.isnan(value):
        return f"{how.sign(is_negative=False)}NaN"
    return "-Inf" if value < 0 else f"{how.sign(is_negative=False) or '+'}Inf"


def _real_digits(value: float, form: str, how: Directive) -> str:
    precision = 6 if how.precision is None and form in "eEf" else how.precision
    digits = digits_of(value, form, precision)
    return with_point(digits, form, precision) if how.has("#") and form != "b" else digits


def complex_(value: complex, verb: str, how: Directive) -> str | None:
    if verb not in tuple("vbgGxXfFeE"):
        return None
    return f"({real(value.real, verb, how)}{real(value.imag, verb, how.always_signed())}i)"
