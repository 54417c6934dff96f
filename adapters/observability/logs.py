"""Structured logs on standard error: for people on a terminal, JSON lines for programs."""

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Form = Literal["auto", "console", "json"]
QUIET = {
    "aiokafka": logging.WARNING,
    "asyncssh": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpx2": logging.WARNING,
    "kubernetes_asyncio": logging.WARNING,
    "psycopg.pool": logging.ERROR,
    "uvicorn": logging.WARNING,
}
"""Libraries that tell more than anyone wants to know."""


def configure(
    form: Form = "auto", level: str = "info", *, process: str, stream: TextIO | None = None
) -> None:
    """Send every logger of this process to standard error; standard output is for the audit."""
    to = stream or sys.stderr
    as_console = form == "console" or (form == "auto" and to.isatty())
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_known(process),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people(to) if as_console else _for_programs()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def _known(process: str) -> list[Processor]:
    """What every line says beside its message: when, how grave, who, in which request."""

    def named(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        return {**line, "process": process}

    return [
        named,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]


def _for_people(stream: TextIO) -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="time")]


def _for_programs() -> list[Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
