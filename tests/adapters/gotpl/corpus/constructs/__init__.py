"""Each construct that Go's templates have by themselves."""

from collections.abc import Iterator, Sequence

from tests.adapters.gotpl.corpus.constructs import (
    blocks,
    builtins,
    formats,
    mistakes,
    operands,
    pipes,
    spacing,
    templates,
    variables,
)

ACTIONS: Sequence[str] = (
    *operands.ACTIONS,
    *pipes.ACTIONS,
    *builtins.ACTIONS,
    *mistakes.ACTIONS,
)
"""What stands between the braces."""

SOURCES: Sequence[str] = (
    *spacing.SOURCES,
    *blocks.SOURCES,
    *variables.SOURCES,
    *templates.SOURCES,
    *mistakes.SOURCES,
)


def of_constructs() -> Iterator[str]:
    yield from (f"{{{{ {action} }}}}" for action in (*ACTIONS, *formats.FORMATS))
    yield from (f"{{{{{action}}}}}" for action in ACTIONS)
    yield from SOURCES
