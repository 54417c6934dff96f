"""How an operation over SSH can end before its time, each with the sentence that a person reads."""


class Failed(Exception):
    """The operation cannot go on; the text is the sentence about it."""


class Lost(Failed):
    """Nobody can say how the running script ended."""


class Stopped(Exception):
    """Whoever follows the operation wants no further phase."""


class HostGone(Exception):
    """The host does not answer, or no longer; the text is why. It may come back."""


class LoginRefused(HostGone):
    """The host answers and does not let us in."""
