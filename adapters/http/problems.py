"""A problem is a refusal as HTTP tells it: one table from its class to a status (RFC 9457)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from starlette.exceptions import HTTPException

from adapters.http import answers
from adapters.http.answers import Answer
from adapters.http.bounded_texts import MAX_DETAIL, shortened, told_faults
from adapters.http.edge import NotYet
from application.commands import ChangedMeanwhile, KeyReused
from application.permissions import Forbidden
from application.ports import EventTooLarge, Overloaded, Unavailable
from domain.model import Fault, Invalid, NotFound, Refusal

DOCUMENTATION = "/documentation"


class Mistake(Exception):
    """A request that HTTP itself refuses, before any command or query is asked."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(
        self,
        detail: str,
        *,
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def __init_subclass__(cls, status: int = 400, code: str = "bad_request") -> None:
        cls.status, cls.code = status, code


class BadRequest(Mistake):
    """The request cannot be understood: broken JSON, a bad parameter or header."""


class Unauthenticated(Mistake, status=401, code="unauthenticated"):
    """No token or session came, or it is wrong, revoked or run out."""


class NoSuchPage(Mistake, status=404, code="not_found"):
    """Nothing is at this address."""


class MethodNotAllowed(Mistake, status=405, code="method_not_allowed"):
    """The address is right and the method is not."""


class BodyTooSlow(Mistake, status=408, code="body_too_slow"):
    """The body did not arrive in time."""


class HeadTooSlow(Mistake, status=408, code="head_too_slow"):
    """The request's line and headers did not arrive in time."""


class PreconditionFailed(Mistake, status=412, code="precondition_failed"):
    """If-Match names a revision that is not the current one."""


class BodyTooLarge(Mistake, status=413, code="body_too_large"):
    """The body is larger than this server takes."""


class WrongMediaType(Mistake, status=415, code="unsupported_media_type"):
    """The body is not JSON, or does not say that it is, or is encoded."""


class TargetTooLong(Mistake, status=414, code="address_too_long"):
    """The address, with all that stands behind the question mark, is too long."""


class HeadTooLarge(Mistake, status=431, code="head_too_large"):
    """The request's line and headers are larger than this server takes."""


class WrongHost(Mistake, status=421, code="wrong_host"):
    """The Host header names a server that this one is not."""


class ForeignOrigin(Mistake, status=403, code="foreign_origin"):
    """A page of another site sent this request with a session's cookie."""


class TookTooLong(Mistake, status=504, code="took_too_long"):
    """The answer was not ready in time; whether a command took effect is not known."""


class ServerFault(Mistake, status=500, code="internal_error"):
    """A defect of the server; the log has the trace under the request's id."""


E = TypeVar("E", bound=Exception)
REFUSALS: dict[type[Exception], int] = {
    Invalid: 422,
    KeyReused: 422,
    NotFound: 404,
    Forbidden: 403,
    EventTooLarge: 413,
    Refusal: 409,
    Overloaded: 503,
    Unavailable: 503,
    NotYet: 503,
}
"""Class to status; a subclass that is not named has its parent's."""

UNREFUSED = {Overloaded: "overloaded", Unavailable: "unavailable", NotYet: "not_yet"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for programs (`code`, `faults`) and for people (`detail`).

    However long `detail` is when it comes, its beginning is kept.
    """

    status: int
    code: str
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more_faults: int = 0
    """How many there are beside `faults`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", shortened(self.detail, MAX_DETAIL))

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def as_json(self, request_id: str | None, path: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "type": f"{DOCUMENTATION}#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": shortened(path, MAX_DETAIL),
            "request_id": request_id,
            "error": self.code,
        }
        if self.faults:
            shown["errors"] = told_faults(self.faults)
        if more := self.more_faults + len(self.faults) - len(shown.get("errors", ())):
            shown["more_errors"] = more
        return shown

    def answer(self, request_id: str | None, path: str) -> Answer:
        return answers.json(
            self.as_json(request_id, path), self.status, self.headers, answers.PROBLEM
        )


def problem_of(error: Exception) -> Problem | None:
    """The problem that an error is; None for an error that nobody expected."""
    match error:
        case Mistake():
            return Problem(error.status, error.code, error.detail, error.faults, error.headers)
        case HTTPException():
            return _of_starlette(error)
        case Refusal():
            return Problem(
                status_of(type(error)),
                error.code,
                error.detail,
                tuple(_faults(error)),
                _retry(error),
                error.more_faults if isinstance(error, Invalid) else 0,
            )
        case Overloaded():
            detail = f"{error.detail} Ask again in a moment."
            return Problem(503, UNREFUSED[Overloaded], detail, headers=_retry(error))
        case Unavailable():
            return Problem(503, UNREFUSED[Unavailable], error.detail, headers=_retry(error))
        case NotYet():
            return Problem(503, UNREFUSED[NotYet], str(error), headers=_retry(error))
    return None


def status_of(refusal: type[Exception]) -> int:
    return next(REFUSALS[kind] for kind in refusal.__mro__ if kind in REFUSALS)


FAULT = Problem(
    500, ServerFault.code, "This is a defect of the server. The request's id finds it in the log."
)


def kinds() -> Iterator[tuple[str, int, str]]:
    """Every code a problem may carry, its status, and the sentence about it."""
    named: dict[str, tuple[int, str]] = {}
    for mistake in _descendants(Mistake):
        named.setdefault(mistake.code, (mistake.status, mistake.__doc__ or ""))
    refusals: list[type[Refusal]] = [Refusal, *_descendants(Refusal)]
    for refusal in refusals:
        named.setdefault(refusal.code, (status_of(refusal), refusal.__doc__ or ""))
    for absent, code in UNREFUSED.items():
        named.setdefault(code, (REFUSALS[absent], absent.__doc__ or ""))
    for code in sorted(named):
        yield code, *named[code]


def _descendants(kind: type[E]) -> Iterator[type[E]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _faults(error: Refusal) -> Iterator[Fault]:
    if isinstance(error, Invalid):
        yield from error.faults
    elif error.pointer is not None:
        yield Fault(pointer=error.pointer, detail=error.detail)


def _retry(error: Exception) -> dict[str, str]:
    if isinstance(error, ChangedMeanwhile):
        return {"Retry-After": "1"}
    seconds = getattr(error, "retry_after_seconds", None)
    return {"Retry-After": str(seconds)} if seconds is not None else {}


def _of_starlette(error: HTTPException) -> Problem:
    codes = {404: NoSuchPage.code, 405: MethodNotAllowed.code, 413: BodyTooLarge.code}
    code = codes.get(error.status_code, BadRequest.code)
    return Problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))
