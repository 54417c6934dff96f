"""The words in which people are told how it went."""

import re
import signal

from adapters.ssh.folder import Ending

TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f]")
LAST_LINE_CHARACTERS = 300
SUDO_ADVICE = (
    "It must let the user run sh as root without a terminal (no requiretty) and without a password "
    "(NOPASSWD) or with the sudoPassword of SSHConfig."
)


def span(seconds: float) -> str:
    """`14 s`, `2 min`, `1 h 5 min`: as precise as a person needs it."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def how_it_failed(what: str, ending: Ending, timeout_seconds: int, last_line: str) -> str:
    """Why a script did not succeed; `what` is the subject, such as `Phase packages`."""
    said = f" Last line: {plain(last_line)}" if plain(last_line) else ""
    match ending.how:
        case "timed-out":
            return f"{what} did not end within {span(timeout_seconds)} and was stopped.{said}"
        case "refused":
            return f"{what} could not start: sudo refused. {SUDO_ADVICE}{said}"
    after = "" if ending.seconds is None else f" after {span(ending.seconds)}"
    return f"{what} failed: {_code(ending.code)}{after}.{said}"


def _code(code: int) -> str:
    if code > 128:
        try:
            return f"ended by signal {signal.Signals(code - 128).name}"
        except ValueError:
            pass
    meaning = {126: " (not executable)", 127: " (command not found)"}.get(code, "")
    return f"exit code {code}{meaning}"


def plain(line: str) -> str:
    """A line without colours and control characters, cut where it is too long for a sentence."""
    return shortened(TERMINAL_CODES.sub("", line).strip(), LAST_LINE_CHARACTERS)


def shortened(text: str, characters: int) -> str:
    """The text; an ellipsis tells that its end was cut off."""
    return text if len(text) <= characters else f"{text[:characters]}…"
