"""Texts and characters by the verbs of `printf`."""

from adapters.gotpl.directives import Directive

LARGEST_CHARACTER = 0x10FFFF

_NAMES = {7: "a", 8: "b", 12: "f", 10: "n", 13: "r", 9: "t", 11: "v", 92: "\\"}


def text(value: str, verb: str, how: Directive) -> str | None:
    """None where the verb is not for texts."""
    if verb == "q" or how.is_syntax(verb):
        return how.padded(_quoted(how.cut(value), how))
    if verb in "vs":
        return how.padded(how.cut(value))
    if verb in "xX":
        return how.padded(_hexadecimal(value.encode(errors="replace"), verb, how))
    return None


def _quoted(value: str, how: Directive) -> str:
    if how.has("#") and _can_be_raw(value):
        return f"`{value}`"
    return quoted(value, '"', only_ascii=how.has("+"))


def _can_be_raw(value: str) -> bool:
    return all(
        character == "\t" or (character not in "`\x7f\ufeff" and ord(character) >= 0x20)
        for character in value
    )


def _hexadecimal(value: bytes, verb: str, how: Directive) -> str:
    separator = " " if how.has(" ") else ""
    prefix = f"0{verb}" if how.has("#") else ""
    pieces: list[str] = []
    for byte in value[: how.precision]:
        pieces.append((prefix if separator or not pieces else "") + format(byte, f"02{verb}"))
    return separator.join(pieces)


def quoted(value: str, quote: str, *, only_ascii: bool) -> str:
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


def character(code: int) -> str:
    """U+FFFD where the code is none of a character."""
    is_one = 0 <= code <= LARGEST_CHARACTER and not 0xD800 <= code < 0xE000
    return chr(code) if is_one else "\ufffd"
