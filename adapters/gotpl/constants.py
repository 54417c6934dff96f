"""Numbers and texts as they are written in a template."""

import math
import re

from adapters.gotpl.faults import SourceFault
from adapters.gotpl.lexer import Token
from adapters.gotpl.syntax import Number

SMALLEST, LARGEST = -(2**63), 2**63 - 1

_WHOLE = re.compile(
    r"([+-]?)(?:(0[xX](?:_?[0-9a-fA-F])+)|(0[bB](?:_?[01])+)|(0[oO](?:_?[0-7])+)"
    r"|(0(?:_?[0-7])+)|(0|[1-9](?:_?[0-9])*))"
)
_REAL = re.compile(
    r"[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
)
_HEXADECIMAL_REAL = re.compile(
    r"[+-]?0[xX]_?(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*\.?(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?"
    r"|\.[0-9a-fA-F](?:_?[0-9a-fA-F])*)[pP][+-]?[0-9](?:_?[0-9])*"
)
_ESCAPES = {
    **{"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92},
    **{"'": 39, '"': 34},
}
_DIGITS_AFTER = {"x": 2, "u": 4, "U": 8}


def number(token: Token) -> Number:
    """What a number or a character stands for. Raises SourceFault."""
    if token.kind == "character":
        code = _character(token)
        return Number(token.at, token.text, code, float(code), complex(code))
    if token.kind == "complex":
        return _simplified(token, _complex(token))
    if token.text.endswith("i"):
        imaginary = _real(token.text[:-1])
        if imaginary is not None:
            return _simplified(token, complex(0, imaginary))
    return _plain(token)


def _plain(token: Token) -> Number:
    text = token.text
    is_written_as_real = any(sign in text for sign in ".eEpP") and not _is_hexadecimal_whole(text)
    whole = _whole(text)
    if whole is not None and SMALLEST <= whole <= LARGEST:
        return Number(token.at, text, whole, float(whole), is_written_as_real=is_written_as_real)
    if whole is not None and 0 <= whole < 2**64 and not text.startswith(("+", "-")):
        return Number(token.at, text, None, float(whole), is_too_large=True)
    real = _real(text)
    if real is None or not is_written_as_real:
        raise SourceFault(f"{text} is too large, or not how a number is written", token.at)
    exact = int(real) if math.isfinite(real) and real == int(real) else None
    fits = exact is not None and SMALLEST <= exact <= LARGEST
    return Number(token.at, text, exact if fits else None, real, is_written_as_real=True)


def _is_hexadecimal_whole(text: str) -> bool:
    unsigned = text.lstrip("+-")
    return unsigned[:2] in ("0x", "0X") and not any(sign in text for sign in "pP")


def _simplified(token: Token, value: complex) -> Number:
    """A number without an imaginary part is also a real one, and perhaps a whole one."""
    if value.imag != 0:
        return Number(token.at, token.text, complete=value)
    real = value.real
    whole = int(real) if real == int(real) and SMALLEST <= real <= LARGEST else None
    return Number(token.at, token.text, whole, real, value)


def _complex(token: Token) -> complex:
    text = token.text[:-1]
    middle = max(
        place
        for place in range(1, len(text))
        if text[place] in "+-" and text[place - 1] not in "eEpP"
    )
    real, imaginary = _real(text[:middle]), _real(text[middle:])
    if real is None or imaginary is None:
        raise SourceFault(f"{token.text} is not how a number is written", token.at)
    return complex(real, imaginary)


def _whole(text: str) -> int | None:
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    sign, hexadecimal, binary, octal, old_octal, decimal = found.groups()
    digits = (hexadecimal or binary or octal or old_octal or decimal).replace("_", "")
    if len(digits) > 70:
        return 2**70
    base = 16 if hexadecimal else 2 if binary else 8 if octal or old_octal else 10
    value = int(digits, base)
    return -value if sign == "-" else value


def _real(text: str) -> float | None:
    digits = text.replace("_", "")
    try:
        if _HEXADECIMAL_REAL.fullmatch(text):
            value = float.fromhex(digits)
        elif _REAL.fullmatch(text):
            value = float(digits)
        elif (whole := _whole(text)) is not None:
            value = float(whole)
        else:
            return None
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def text(token: Token) -> str:
    """What a string in quotes says. Bytes that are no character become U+FFFD."""
    if token.text.startswith("`"):
        return token.text[1:-1].replace("\r", "")
    return b"".join(_bytes(piece) for piece in _pieces(token)).decode(errors="replace")


def _character(token: Token) -> int:
    pieces = list(_pieces(token))
    if len(pieces) != 1:
        raise SourceFault(f"{token.text} is not one character", token.at)
    return pieces[0][0]


def _bytes(piece: tuple[int, bool]) -> bytes:
    code, is_byte = piece
    return bytes([code]) if is_byte else chr(code).encode()


def _pieces(token: Token) -> "list[tuple[int, bool]]":
    """Each character's code, and whether it is a byte only."""
    inner, quote = token.text[1:-1], token.text[0]
    pieces: list[tuple[int, bool]] = []
    at = 0
    while at < len(inner):
        character = inner[at]
        at += 1
        if character != "\\":
            pieces.append((ord(character), False))
            continue
        escape, at = inner[at], at + 1
        if escape in _ESCAPES and escape not in ("'\"".replace(quote, "")):
            pieces.append((_ESCAPES[escape], False))
            continue
        count, base = (3, 8) if escape in "01234567" else (_DIGITS_AFTER.get(escape, 0), 16)
        at -= base == 8
        code = _code(inner[at : at + count], count, base)
        if code is None or code > (255 if base == 8 else 0x10FFFF) or 0xD800 <= code < 0xE000:
            raise SourceFault(f"\\{escape} means nothing in {token.text}", token.at)
        pieces.append((code, escape == "x" or base == 8))
        at += count
    return pieces


def _code(digits: str, count: int, base: int) -> int | None:
    allowed = "01234567" if base == 8 else "0123456789abcdefABCDEF"
    if count == 0 or len(digits) != count or any(digit not in allowed for digit in digits):
        return None
    return int(digits, base)
