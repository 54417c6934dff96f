"""Logs: one line each, on standard error, in the form that its reader takes."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from structlog.contextvars import bind_contextvars, clear_contextvars

from adapters.observability.logs import configure


@pytest.fixture(autouse=True)
def root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    clear_contextvars()


def test_a_line_for_programs_is_one_json_object_with_what_is_known_of_the_request() -> None:
    stream = io.StringIO()
    configure("json", "info", process="api", stream=stream)
    bind_contextvars(request_id="f" * 32)
    logging.getLogger("somewhere").warning("It %s", "rains", extra={"drops": 7})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "It rains",
        "drops": 7,
        "level": "warning",
        "logger": "somewhere",
        "process": "api",
        "request_id": "f" * 32,
    }


def test_a_trace_stays_on_its_line() -> None:
    stream = io.StringIO()
    configure("json", "info", process="api", stream=stream)
    try:
        int("broken")
    except ValueError:
        logging.getLogger("somewhere").exception("It failed")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert "ValueError: invalid literal" in json.loads(lines[0])["exception"]


def test_what_is_not_a_terminal_gets_json() -> None:
    stream = io.StringIO()
    configure("auto", "info", process="api", stream=stream)
    logging.getLogger("somewhere").info("hello")
    assert json.loads(stream.getvalue())["event"] == "hello"


def test_the_console_form_is_for_people() -> None:
    stream = io.StringIO()
    configure("console", "info", process="api", stream=stream)
    logging.getLogger("somewhere").info("hello")
    assert "hello" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_less_than_the_level_is_not_told() -> None:
    stream = io.StringIO()
    configure("json", "error", process="api", stream=stream)
    logging.getLogger("somewhere").warning("hello")
    assert stream.getvalue() == ""
