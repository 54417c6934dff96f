"""Why a source cannot be read, a function cannot answer, or a run cannot go on."""


class SourceFault(Exception):
    """The source is no template; the place is in characters from its beginning."""

    def __init__(self, detail: str, at: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.at = at


class UnknownFunction(SourceFault):
    """The source calls what is not there."""

    def __init__(self, name: str, at: int) -> None:
        super().__init__(f"there is no function {name}", at)
        self.name = name


class ExecutionFault(Exception):
    """The template cannot go on; the run's place tells where it was."""


class FunctionFault(ExecutionFault):
    """A function failed; the cause is its own exception."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnknownValue(ExecutionFault):
    """A map does not have the name; of the values that were given, these are the names."""

    def __init__(self, name: str, names: frozenset[str] | None) -> None:
        super().__init__(name)
        self.name = name
        self.names = names


class Refusal(Exception):
    """The function does not take what it was given; the text says why."""
