"""Cases of each function, family by family."""

from collections.abc import Iterator, Mapping, Sequence

from tests.adapters.gotpl.corpus.functions import (
    addresses,
    dates,
    defaults,
    helm,
    kinds,
    lists,
    maps,
    numbers,
    patterns,
    strings,
    versions,
)

FUNCTIONS: Mapping[str, Sequence[str]] = {
    **strings.CASES,
    **numbers.CASES,
    **lists.CASES,
    **maps.CASES,
    **defaults.CASES,
    **kinds.CASES,
    **dates.CASES,
    **patterns.CASES,
    **versions.CASES,
    **addresses.CASES,
    **helm.CASES,
}
"""A case is what stands between the braces."""


def of_function(name: str) -> Iterator[str]:
    yield from (f"{{{{ {case} }}}}" for case in FUNCTIONS[name])
