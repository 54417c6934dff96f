"""How an operation over SSH can end before its time, each with the sentence that a person reads."""


class Failed(Exception):
    """The operation cannot go on; the text is the sentence about it."""


class Lost(Failed):
    """Nobody can say how the running script ended."""


class Stopped(Exception):
    """Whoever follows the operation wants no further phase."""


class HostGone(Exception):
    """The host does not answer, or no longer; the text is why. It may come back."""

    is_refusal = False
    """Whether the host counts such tries and may bar who makes many of them."""
    is_answer = False
    """Whether the host is there, and does not do what it is asked."""


class LoginRefused(HostGone):
    """The host answers and does not let us in."""

    is_refusal = True
    is_answer = True


class TurnedAway(HostGone):
    """The host ends the connection before it says anything of SSH; it may be of no lasting."""

    is_refusal = True


class BastionGone(HostGone):
    """What is said of the host is said of the bastion before it."""

    is_refusal = True


class SessionRefused(HostGone):
    """The host lets us in and does not open a session."""

    is_answer = True


class CommandDied(HostGone):
    """The host lets us in and ends the command before it has begun."""

    is_answer = True
