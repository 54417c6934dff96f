"""What a request is addressed to is bounded text before anything reads it."""

from urllib.parse import parse_qsl

from starlette.types import Scope

from adapters.http.problems import BadRequest, NoSuchPage, TargetTooLong
from domain.model import Fault

MAX_TARGET_BYTES = 8 * 1024
"""Path and query together; RFC 9110 §4.1 asks for 8,000 at least."""
MAX_PARAMETERS = 100
REPLACED = "\ufffd"
"""What stands where bytes were no UTF-8."""


def check_target(scope: Scope) -> None:
    """Raise TargetTooLong, NoSuchPage or BadRequest unless path and query are such text."""
    query: bytes = scope["query_string"]
    if len(scope.get("raw_path") or b"") + len(query) > MAX_TARGET_BYTES:
        raise TargetTooLong(f"The address is longer than {MAX_TARGET_BYTES} bytes.")
    if "\0" in scope["path"]:
        raise NoSuchPage("Nothing is at this address: it holds U+0000.")
    if query:
        parameters(query)


def parameters(query: bytes) -> list[tuple[str, str]]:
    """The names and values of a query string, in order. Raises BadRequest."""
    if query.count(b"&") >= MAX_PARAMETERS:
        raise BadRequest(f"The address has more than {MAX_PARAMETERS} parameters.")
    if not query.isascii():
        raise BadRequest("The address holds bytes that are not percent-encoded.")
    pairs = parse_qsl(query.decode(), keep_blank_values=True)
    if torn := [name for name, value in pairs if _is_torn(name) or _is_torn(value)]:
        raise bad_parameters([Fault(pointer=f"?{name}", detail=TORN) for name in torn])
    return pairs


TORN = "It holds U+0000 or bytes that are not UTF-8."


def bad_parameters(faults: list[Fault]) -> BadRequest:
    """The mistake of these faults, which point to parameters."""
    told = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
    return BadRequest(told, faults=faults)


def _is_torn(text: str) -> bool:
    return "\0" in text or REPLACED in text
