"""An ETag begins with the revision: If-None-Match saves an answer, and If-Match guards a change."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import orjson
from starlette.requests import Request

from adapters.http.answers import Answer
from adapters.http.problems import BadRequest, PreconditionFailed
from adapters.http.whole_numbers import whole_number
from domain.model import Fault, RevisionConflict

ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')


def tagged(request: Request, value: Any) -> Answer:
    """A value with its ETag, or that it is what If-None-Match names."""
    body = orjson.dumps(value)
    revision = value.get("current_revision", 0)
    tag = f'"{revision}-{blake2b(body, digest_size=8).hexdigest()}"'
    wanted = request.headers.get("if-none-match", "")
    if tag in (part.strip().removeprefix("W/") for part in wanted.split(",")):
        return Answer(304, headers={"ETag": tag})
    return Answer(200, body, headers={"ETag": tag, "Cache-Control": "no-cache"})


def guard(request: Request, given: dict[str, Any]) -> None:
    """If-Match names the revision that the change is made of, as `current_revision` does."""
    tag = _named(request)
    if tag is None:
        return
    revision = whole_number(tag.strip('"').partition("-")[0])
    if revision is None:
        if ENTITY_TAG.fullmatch(tag):
            raise PreconditionFailed("If-Match names no revision of it.")
        detail = "It must be one ETag that this server gave."
        raise BadRequest(f"If-Match: {detail}", faults=[Fault(pointer="If-Match", detail=detail)])
    if given.setdefault("current_revision", revision) != revision:
        raise PreconditionFailed("If-Match and current_revision name different revisions.")


@contextmanager
def guarded(request: Request) -> Iterator[None]:
    """A conflict is a precondition that failed for who named the revision by If-Match."""
    try:
        yield
    except RevisionConflict as conflict:
        if _named(request) is None:
            raise
        raise PreconditionFailed(conflict.detail) from None


def _named(request: Request) -> str | None:
    tag = request.headers.get("if-match", "*").strip()
    return None if tag == "*" else tag
