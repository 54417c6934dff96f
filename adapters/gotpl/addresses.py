"""Addresses taken apart and put together as Go does."""

import re
from collections.abc import Mapping
from typing import Any

from adapters.gotpl.kinds import kind_of

_UNRESERVED = "-_.~"
_UNCHANGED: Mapping[str, str] = {
    "host": "!$&'()*+,;=:[]<>\"",
    "path": "$&+,/:;=@",
    "fragment": "$&+,/:;=?@!()*",
    "user": "$&+,;=",
}
_PORT = re.compile(r"(?::[0-9]*)?")
_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
_PARTS = ("scheme", "host", "path", "query", "opaque", "fragment", "userinfo")


class NoAddress(ValueError):
    """The text is no address, or its parts are none."""


def parsed(text: str) -> dict[str, Any]:
    """Raises NoAddress."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        raise NoAddress("an address has no control characters")
    parts = dict.fromkeys(_PARTS, "")
    text, _, fragment = text.partition("#")
    parts["fragment"] = _unescaped(fragment, "fragment")
    parts["scheme"], rest = _scheme(text)
    rest, _, parts["query"] = rest.partition("?")
    if not rest.startswith("/"):
        if parts["scheme"]:
            return {**parts, "opaque": rest, "hostname": ""}
        if ":" in rest.partition("/")[0]:
            raise NoAddress("the first part of a path has no colon")
    if rest.startswith("//") and (parts["scheme"] or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, at, host = authority.rpartition("@")
        parts["host"] = _host(host)
        parts["userinfo"] = _user(user) if at else ""
    parts["path"] = _unescaped(rest, "path")
    return {**parts, "hostname": _without_port(parts["host"])}


def joined(parts: Mapping[str, Any]) -> str:
    """Raises NoAddress."""
    known = {name: _text(parts, name) for name in _PARTS}
    user = _user(known["userinfo"]) if known["userinfo"] else None
    address = f"{known['scheme']}:" if known["scheme"] else ""
    if known["opaque"]:
        address += known["opaque"]
    else:
        address += _hierarchy(address, known, user)
    if known["query"]:
        address += f"?{known['query']}"
    return address + (f"#{_escaped(known['fragment'], 'fragment')}" if known["fragment"] else "")


def _hierarchy(before: str, known: Mapping[str, str], user: str | None) -> str:
    path = known["path"] if known["path"] == "*" else _escaped(known["path"], "path")
    has_host = bool(known["host"]) or user is not None
    authority = ""
    if has_host or (known["scheme"] and known["path"]):
        authority = "//" + ("" if user is None else f"{user}@") + _escaped(known["host"], "host")
    if path and not path.startswith("/") and known["host"]:
        path = f"/{path}"
    if not before and not authority and ":" in path.partition("/")[0]:
        path = f"./{path}"
    return authority + path


def _text(parts: Mapping[str, Any], name: str) -> str:
    value = parts.get(name, "")
    if not isinstance(value, str):
        raise NoAddress(f"the {name} must be a string, not a value of kind {kind_of(value)}")
    return value


def _scheme(text: str) -> tuple[str, str]:
    if text.startswith(":"):
        raise NoAddress("before the colon there must be a scheme")
    found = _SCHEME.match(text)
    if found is None or not text.startswith(":", found.end()):
        return "", text
    return found[0].lower(), text[found.end() + 1 :]


def _host(text: str) -> str:
    if text.startswith("["):
        end = text.rfind("]")
        if end < 0:
            raise NoAddress("the address of the host is not closed with ]")
        port = text[end + 1 :]
    else:
        colon = text.rfind(":")
        port = text[colon:] if colon >= 0 else ""
    if not _PORT.fullmatch(port):
        raise NoAddress(f"{port} after the host is no port")
    return _unescaped(text, "host")


def _without_port(host: str) -> str:
    if host.startswith("[") and "]" in host:
        return host[1 : host.rfind("]")]
    colon = host.rfind(":")
    return host[:colon] if colon >= 0 else host


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise NoAddress("the user has characters that must be escaped")
    name, colon, password = text.partition(":")
    return colon.join(
        _escaped(_unescaped(part, "user"), "user")
        for part in ((name, password) if colon else (name,))
    )


def _unescaped(text: str, where: str) -> str:
    pieces = bytearray()
    place = 0
    encoded = text.encode(errors="replace")
    while place < len(encoded):
        byte = encoded[place]
        if byte == ord("%"):
            digits = encoded[place + 1 : place + 3]
            if not re.fullmatch(rb"[0-9a-fA-F]{2}", digits):
                raise NoAddress("% is not followed by two hexadecimal digits")
            if where == "host" and digits != b"25" and digits[0] < ord("8"):
                raise NoAddress("a host has no escaped characters")
            pieces.append(int(digits, 16))
            place += 3
            continue
        if where == "host" and byte < 0x80 and not _stays(chr(byte), where):
            raise NoAddress(f"a host does not have the character {chr(byte)!r}")
        pieces.append(byte)
        place += 1
    return pieces.decode(errors="replace")


def _escaped(text: str, where: str) -> str:
    encoded = text.encode(errors="replace")
    return "".join([chr(byte) if _stays(chr(byte), where) else f"%{byte:02X}" for byte in encoded])


def _stays(character: str, where: str) -> bool:
    is_plain = character.isascii() and (character.isalnum() or character in _UNRESERVED)
    return is_plain or character in _UNCHANGED[where]
