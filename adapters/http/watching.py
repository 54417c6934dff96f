"""Every request is watched: counted, and logged where someone must look at it."""

import logging
from typing import Any

from starlette.types import Scope

from adapters.http.edge import Measures
from adapters.http.problems import FAULT, Problem

SLOW_SECONDS = 1.0
UNMATCHED = "unmatched"
REFUSED = (401, 403)
logger = logging.getLogger(__name__)


def account(measures: Measures, scope: Scope, status: int, seconds: float) -> None:
    """Count an answer; log one that was refused, that failed, or that took long."""
    measures.answered(route_of(scope), scope["method"], status, seconds)
    if status in REFUSED:
        logger.warning("Refused", extra=_about(scope, status, seconds))
    elif status >= 500:
        logger.warning("Failed", extra=_about(scope, status, seconds))
    elif seconds > SLOW_SECONDS:
        logger.warning("Slow", extra=_about(scope, status, seconds))
    elif logger.isEnabledFor(logging.DEBUG):
        logger.debug("Answered", extra=_about(scope, status, seconds))


def unexpected(error: Exception, scope: Scope) -> Problem:
    """A defect is loud in the log; its client is told the request's id and nothing else."""
    logger.error("%s %s failed: a defect", scope["method"], scope["path"], exc_info=error)
    return FAULT


def route_of(scope: Scope) -> str:
    """The path as its route writes it, so that ids make no new series."""
    route: str | None = scope["state"].get("route")
    return route or getattr(scope.get("route"), "path", None) or UNMATCHED


def _about(scope: Scope, status: int, seconds: float) -> dict[str, Any]:
    client = scope.get("client")
    return {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "peer": client[0] if client else None,
    }
