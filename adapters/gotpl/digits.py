"""The digits of a real number in each of the forms that Go writes them, and never its sign."""

import math

_BITS = 53
_HEXADECIMAL_DIGITS = 13
"""Behind the point, where none is left out."""


def digits_of(value: float, form: str, precision: int | None) -> str:
    """Of a finite number that is not negative; without a precision, as few as give it again."""
    if form == "b":
        return _binary(value)
    if form in "xX":
        return _hexadecimal(value, precision, form)
    if precision is None:
        return _shortest(value, form)
    fewest = 1 if form in "gG" else 0
    return format(value, f".{max(precision, fewest)}{form}")


def _shortest(value: float, form: str) -> str:
    mantissa, exponent = _scientific(value)
    if -4 <= exponent < 6:
        return _unfolded(mantissa.replace(".", ""), exponent)
    shown = f"{mantissa}e{exponent:+03d}"
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
    shift = max(exponent - _BITS, -1074)
    return f"{int(math.ldexp(fraction, exponent - shift))}p{shift:+d}"


def _hexadecimal(value: float, precision: int | None, form: str) -> str:
    fraction, power = math.frexp(value)
    mantissa, exponent = int(fraction * 2**_BITS), power - 1 if value else 0
    digits = f"{mantissa:0{1 + _HEXADECIMAL_DIGITS}x}"
    if precision is not None and precision < _HEXADECIMAL_DIGITS:
        digits, exponent = _rounded(mantissa, exponent, precision)
    # The first digit is one bit; what follows is the fraction.
    first, behind = digits[0], digits[1:]
    behind = behind.rstrip("0") if precision is None else behind.ljust(precision, "0")
    shown = f"0x{first}{'.' if behind else ''}{behind}p{exponent:+03d}"
    return shown.upper() if form == "X" else shown


def _rounded(mantissa: int, exponent: int, precision: int) -> tuple[str, int]:
    """To the nearest, and of two that are as near to the even one."""
    drop = 4 * (_HEXADECIMAL_DIGITS - precision)
    kept, rest = mantissa >> drop, mantissa & ((1 << drop) - 1)
    half = 1 << (drop - 1)
    kept += rest > half or (rest == half and kept & 1)
    if kept >> (4 * precision) > 1:
        kept, exponent = kept >> 1, exponent + 1
    return f"{kept:0{precision + 1}x}", exponent


def with_point(digits: str, form: str, precision: int | None) -> str:
    """The flag # shows the point always, and with %g and %x the zeros behind it."""
    power = max(digits.find(sign) for sign in ("pP" if form in "xX" else "eEpP"))
    mantissa, rest = (digits, "") if power < 0 else (digits[:power], digits[power:])
    if "." not in mantissa:
        mantissa += "."
    if form in "gGx":
        shown = len(mantissa.lstrip("0.").replace(".", ""))
        mantissa += "0" * ((6 if precision is None else precision) - shown)
    return mantissa + rest
