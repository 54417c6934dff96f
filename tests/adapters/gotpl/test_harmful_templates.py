"""A harmful template ends with a fault, and hurts no other."""

import asyncio
import time

import pytest

from adapters.gotpl.limits import MEBIBYTE
from adapters.gotpl.renderer import SubprocessRenderer
from tests.adapters.gotpl.asking import ENDLESS, fault_of, rendered, section

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = "{{ $d := dict }}{{ range until 20000 }}{{ $d = dict `a` $d }}{{ end }}\n"
"""A map in a map in a map…"""
SHARED = "{{ $s := list 1 }}{{ range until 60 }}{{ $s = list $s $s }}{{ end }}\n"
"""Sixty lists, and 2^60 numbers for who looks at all of them."""
EACH_CALLS_TWO = "".join(
    f'{{{{ define "{n}" }}}}{{{{ template "{n + 1}" }}}}{{{{ template "{n + 1}" }}}}{{{{ end }}}}\n'
    for n in range(90)
)
IN_VAIN = "does not come to an end within 3.2 seconds"
NO_MEMORY = "needs more than 512 MiB of memory"
TOO_DEEP = "is nested too deep"
HARMFUL = {
    # Loops.
    "an endless loop": ("\n {{ range 9223372036854775807 }}{{ end }}", 2, 11, IN_VAIN),
    "loops in loops": (
        *("{{ range until 100000 }}\n{{ range until 100000 }}{{ end }}{{ end }}", 2, 16),
        IN_VAIN,
    ),
    # Bombs, and what never comes back.
    "templates that each call two": (
        *(EACH_CALLS_TWO + '{{ define "90" }}{{ end }}{{ template "0" }}', None, None, IN_VAIN),
    ),
    "a template that calls itself": (
        *('{{ block "x" . }}\n{{ template "x" . }}{{ end }}', 2, 13, "more than 100 levels deep"),
    ),
    "a template that includes itself": (
        *('{{ define "x" }}\n{{ include "x" . }}{{ end }}{{ include "x" . }}', 2, 4, "100 levels"),
    ),
    "a list that is shared": (SHARED + "{{ $s }}", 2, 4, IN_VAIN),
    "laughs": (
        "a: &a [x]\n{{ range until 30 }}b{{ . }}: &b{{ . }} [*a, *a]\n{{ end }}",
        *(1, 4, "the anchor &a is not allowed"),
    ),
    # Too much at once.
    "two gigabytes at once": ("\na: {{ repeat 2000000000 `x` }}", 2, 7, NO_MEMORY),
    "the most repetitions": ("\n{{ repeat 9223372036854775807 `x` }}", 2, 4, NO_MEMORY),
    "the most spaces": ("\n{{ indent 9223372036854775807 `x` }}", 2, 4, NO_MEMORY),
    "a thousand million numbers": ("{{ range until 1000000000 }}{{ end }}", 1, 10, NO_MEMORY),
    "numbers up to the largest": ("\n{{ untilStep 0 9223372036854775807 1 }}", 2, 4, NO_MEMORY),
    "a long sequence": ("{{ seq 1 1000000000 }}", 1, 4, NO_MEMORY),
    "a sequence to the largest": (
        "\n{{ seq 0 9223372036854775807 }}",
        2,
        4,
        "seq failed: it cannot",
    ),
    "growth by a hundred each time": (
        "{{ $x := `x` }}{{ range until 40 }}\n{{ $x = replace `x` (repeat 100 `x`) $x }}{{ end }}",
        *(2, 9, NO_MEMORY),
    ),
    "a list that doubles": (
        "{{ $x := until 999999 }}{{ range until 60 }}\n{{ $x = concat $x $x }}{{ end }}",
        *(2, None, ""),
    ),
    "a number of five million digits": ("\n{{ int64 (repeat 5000000 `9`) }}", 2, 4, ""),
    "widths of ten million": (
        "{{ range until 1000000 }}\n{{ $x := printf `%9999999d` 1 }}{{ end }}",
        *(2, None, IN_VAIN),
    ),
    "ten gigabytes of output": (
        "a:\n{{ range until 100000 }}{{ repeat 100000 `x` }}{{ end }}",
        *(2, 28, "gives more than 1,048,576 bytes"),
    ),
    "a printed list": ("{{ toString (until 5000000) }}", 1, None, ""),
    "many values": ("a: [{{ repeat 300000 `1, ` }}]", 1, 8, "more than 100,000 values"),
    "growth when normalised": (
        "a: {{ repeat 49 `[` }}{{ repeat 20000 `1,` }}{{ repeat 49 `]` }}",
        *(None, None, "once it is normalised"),
    ),
    # Too deep.
    "a deep map": (DEEP + "{{ $d }}", 2, 4, TOO_DEEP),
    "a deep map as JSON": (DEEP + "{{ toJson $d }}", 2, 4, TOO_DEEP),
    "a deep map as YAML": (DEEP + "{{ toYaml $d }}", 2, 4, TOO_DEEP),
    "a copy of a deep map": (DEEP + "{{ deepCopy $d }}", 2, 4, TOO_DEEP),
    "a deep map merged": (DEEP + "{{ merge $d $d }}", 2, 4, TOO_DEEP),
    "deep lists": ("{{ repeat 100000 `[` }}", 1, 4, "nested more than 50 levels"),
    "deep lists in JSON": ("\n{{ fromJson (repeat 100000 `[`) }}", 2, 4, TOO_DEEP),
    "deep branches": ("{{ if 1 }}" * 5_000 + "{{ end }}" * 5_000, 1, 1011, "nesting limit"),
    # Patterns.
    "a pattern that unfolds": (
        "\n{{ regexMatch `((a{1,10}){1,10}){1,10}b` (repeat 100000 `a`) }}",
        *(2, None, IN_VAIN),
    ),
    "a deep pattern": ("\n{{ regexMatch (repeat 100000 `(`) `a` }}", 2, 4, TOO_DEEP),
    # Sources.
    "a very long source": (
        *("{{ /* " + "x" * MEBIBYTE + " */ }}", None, None, "has more than 1,048,576"),
    ),
    "very many actions": ("{{ 1 }}" * 149_000, None, None, ""),
    "a number of half a million digits": ("\n{{ " + "9" * 500_000 + " }}", 2, 4, "999"),
}
"""Source, line and column where they are the same each time, and what is said."""


@pytest.mark.parametrize(("source", "line", "column", "says"), HARMFUL.values(), ids=HARMFUL)
async def test_a_harmful_template_ends_with_a_fault_and_hurts_no_other(
    renderer: SubprocessRenderer, source: str, line: int | None, column: int | None, says: str
) -> None:
    started = time.monotonic()
    fault, other = await asyncio.gather(
        fault_of(renderer, source), rendered(renderer, "a: {{ .n }}", n=1)
    )
    assert time.monotonic() - started < 20
    assert says in fault.detail
    assert line is None or fault.line == line
    assert column is None or fault.column == column
    if says == IN_VAIN:
        assert fault.line
        assert fault.column
    assert other.texts == {"resources": "a: 1\n"}
    assert (await rendered(renderer, "a: {{ .n }}", n=2)).texts == {"resources": "a: 2\n"}


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*b", "(a|a)*b", "(a+)+b", "(.*a){20}b", "^(a?){30}a{30}b", "(a|aa)+b", r"(\w+\s?)*b"],
)
async def test_a_pattern_takes_time_in_proportion_to_the_text(
    renderer: SubprocessRenderer, pattern: str
) -> None:
    """Another engine would try every way to cut the text into pieces."""
    source = f"a: {{{{ regexMatch `{pattern}` (repeat 1000 `a`) }}}}"
    assert (await rendered(renderer, source)).texts == {"resources": "a: false\n"}


async def test_a_section_that_needs_too_much_memory_does_not_stop_the_next(
    renderer: SubprocessRenderer,
) -> None:
    sections = [section("{{ repeat 2000000000 `x` }}", "first"), section("b: 2", "second")]
    rendering = await renderer.render(sections, {})
    assert [fault.section for fault in rendering.faults] == ["first"]
    assert rendering.texts == {"second": "b: 2\n"}


async def test_what_no_time_is_left_for_says_so(renderer: SubprocessRenderer) -> None:
    sections = [section("a: 1", "first"), section(ENDLESS, "second"), section("c: 3", "third")]
    rendering = await renderer.render(sections, {})
    assert rendering.texts == {"first": "a: 1\n"}
    assert [(fault.section, fault.line) for fault in rendering.faults] == [
        ("second", 1),
        ("third", None),
    ]
    assert "the sections before it took all the time" in rendering.faults[1].detail
