"""The renderer: what a template gives, what its faults say, and that it can hurt nobody."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.gotpl.functions import functions
from adapters.gotpl.limits import MEBIBYTE, Limits
from adapters.gotpl.renderer import SubprocessRenderer
from application.ports import Overloaded, Renderer, RenderFault, Rendering, SectionSource
from domain.secrets import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT = Limits(seconds=4.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renderer() -> AsyncIterator[SubprocessRenderer]:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        yield renderer


def section(source: str, name: str = "resources") -> SectionSource:
    return SectionSource(name, source)


async def rendered(renderer: SubprocessRenderer, source: str, **values: Any) -> Rendering:
    return await renderer.render([section(source)], values)


async def fault_of(renderer: SubprocessRenderer, source: str, **values: Any) -> RenderFault:
    (fault,) = (await rendered(renderer, source, **values)).faults
    assert fault.section == "resources"
    return fault


async def becomes_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


# What a template gives.


async def test_a_section_is_rendered_parsed_and_normalised(renderer: SubprocessRenderer) -> None:
    source = (
        "---\n---\n{{ if .ha }}replicas:   {{ .count }}{{ end }}\n---\n---\n{name: '{{ .name }}'}"
    )
    rendering = await rendered(renderer, source, ha=True, count=3, name="db")
    assert rendering == Rendering(
        texts={"resources": "replicas: 3\n---\nname: db\n"},
        documents={"resources": [{"replicas": 3}, {"name": "db"}]},
        faults=[],
        engine=rendering.engine,
    )
    assert rendering.engine.startswith("gotpl 0.1.0")


async def test_a_section_that_is_no_yaml_stays_as_it_was_rendered(
    renderer: SubprocessRenderer,
) -> None:
    source = SectionSource("script", "#!/bin/sh\n\techo {{ .word }}: : \n\n", is_yaml=False)
    rendering = await renderer.render([source], {"word": "hé"})
    assert rendering.texts == {"script": "#!/bin/sh\n\techo hé: : \n\n"}
    assert rendering.documents == {}


async def test_no_section_gives_nothing(renderer: SubprocessRenderer) -> None:
    assert (await renderer.render([], {})).texts == {}


async def test_a_section_without_a_document_is_empty(renderer: SubprocessRenderer) -> None:
    rendering = await rendered(renderer, "{{ if false }}a: 1{{ end }}\n---\n# nothing\n")
    assert rendering.texts == {"resources": ""}
    assert rendering.documents == {"resources": []}


async def test_the_same_values_always_give_the_same_text(renderer: SubprocessRenderer) -> None:
    source = "{{ range $k, $v := . }}{{ $k }}: {{ $v | toString | sha256sum | trunc 8 }}\n{{ end }}"
    values = {f"k{n}": n for n in range(20)}
    first = await rendered(renderer, source, **values)
    for pid in renderer.idle_workers:
        os.kill(pid, signal.SIGKILL)
    assert await rendered(renderer, source, **dict(reversed(values.items()))) == first


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('a: {{ .name | default "x" | upper | quote }}', "a: DB\n"),
        ("a: {{ .none | default 5 }}", "a: 5\n"),
        ('a: {{ hasKey . "none" }}', "a: false\n"),
        ("{{ if .none }}a{{ else }}b: {{ .count }}{{ end }}", "b: 3\n"),
        ("{{ with .name }}a: {{ . }}{{ end }}", "a: db\n"),
        ("{{ range $i, $e := list 1 2 }}a{{ $i }}: {{ $e }}\n{{ end }}", "a0: 1\na1: 2\n"),
        ('{{ define "x" }}v: {{ .name }}{{ end }}{{ template "x" . }}', "v: db\n"),
        (
            '{{ define "x" }}v: {{ .name }}{{ end }}a:\n{{ include "x" . | indent 2 }}',
            "a:\n  v: db\n",
        ),
        (
            'a:{{ dict "z" 1 "b" (list 1 "on") | toYaml | nindent 2 }}',
            "a:\n  b:\n  - 1\n  - 'on'\n  z: 1\n",
        ),
        ("{{- /* words */ -}}\na: {{ add .count 1 }}", "a: 4\n"),
        ('a: {{ required "give a name" .name }}', "a: db\n"),
        ('a: {{ regexReplaceAll "d(.)" .name "$1" }}', "a: b\n"),
        ("a: '<no value>'", "a: <no value>\n"),
        ("a: {{ .key | quote }}", "a: |\n  one\n  two\n"),
    ],
)
async def test_a_template_can_say(renderer: SubprocessRenderer, source: str, text: str) -> None:
    values = {"name": "db", "count": 3, "none": None, "key": "one\ntwo\n"}
    rendering = await rendered(renderer, source, **values)
    assert (rendering.faults, rendering.texts) == ([], {"resources": text})


# What its faults say.


@pytest.mark.parametrize(
    ("source", "line", "column", "says"),
    [
        ("a: 1\nb: {{ .naem }}", 2, 7, "there is no value naem: did you mean name?"),
        ("a: é {{ .zone }}", 1, 9, "there is no value zone"),
        ("a: {{ .none }}", 1, 7, "this has no value: put it between {{ if }} and {{ end }}"),
        ('a: {{ index . "zone" }}', 1, 7, "this has no value"),
        ("a: {{ .name.first }}", 1, 12, "there is no first in this value"),
        ('a: {{ (dict "x" 1).y }}', 1, 17, "there is no y in this value"),
        ("a: {{ .name.__class__ }}", 1, 12, "there is no __class__ in this value"),
        ("é: {{ .name | quoet }}", 1, 15, "there is no function quoet: did you mean quote?"),
        ("\n\n {{ now }}", 3, 5, "the function now is not offered, because the same values"),
        ("{{ genPrivateKey `rsa` }}", 1, 4, "the function genPrivateKey is not offered"),
        ("{{ env `HOME` }}", 1, 4, "the function env is not offered"),
        ("{{ decryptAES `a` `b` }}", 1, 4, "the function decryptAES is not offered"),
        ('a:\n  - {{ fail "no way" }}', 2, 8, "no way"),
        ('a: {{ required "give a zone" .none }}', 1, 7, "give a zone"),
        ("a: {{ upper 1 }}", 1, 13, "a string is wanted here"),
        ("a: {{ div 1 0 }}", 1, 7, "the function div failed"),
        ('{{ template "x" }}', 1, 13, "there is no template x"),
        ("a\n{{ if }}", 2, 7, "missing value for command"),
        ("a: {{ .name", 1, 4, "this action is not closed"),
        ("{{ if .name }}a: 1", 1, 19, "the source ends before {{ end }}"),
        ("a: 1\n{{ end }}", 2, 1, "unexpected end"),
        (
            '{{ define "x" }}{{ template "x" . }}{{ end }}\n{{ template "x" . }}',
            1,
            17 + 12,
            "100 lev",
        ),
        ('{{ define "x" }}{{ include "x" . }}{{ end }}\n{{ include "x" . }}', 1, 20, "100 levels"),
        ("{{ " + "(" * 200 + "1" + ")" * 200 + " }}", 1, 104, "nesting limit"),
        ("{{ $d := dict }}{{ set $d `a` $d | toYaml }}", 1, 36, "is nested too deep"),
        ("a: 1\nb: {{ .name }}: c", 2, 15, "line 2 of the rendered YAML: a key is not allowed"),
        ("a: 1\n{{ if .name }}\na: 2{{ end }}", 3, 1, "line 3 of the rendered YAML: the key a is"),
        ("{{ range until 3 }}k{{ . }}: 1\n{{ end }}k1: 2", 2, 10, "the key k1 is there twice"),
        ("a: &x 1", 1, 4, "line 1 of the rendered YAML: the anchor &x is not allowed"),
        ("a: 0{{ .count }}", 1, 4, "octal to some readers"),
        ("a: {{ printf `%c` 7 }}", 1, 7, "U+0007 is not allowed"),
    ],
)
async def test_a_fault_names_its_place_in_the_source(
    renderer: SubprocessRenderer, source: str, line: int, column: int, says: str
) -> None:
    fault = await fault_of(renderer, source, name="db", count=3, none=None)
    assert says in fault.detail
    assert (fault.line, fault.column) == (line, column)


async def test_every_section_tells_its_own_fault(renderer: SubprocessRenderer) -> None:
    port: Renderer = renderer
    sections = [section("{{ .x }}", "a"), section("b: 1", "b"), section("c: [", "c")]
    rendering = await port.render(sections, {})
    assert [fault.section for fault in rendering.faults] == ["a", "c"]
    assert rendering.documents == {"b": [{"b": 1}]}


async def test_a_text_that_is_not_yaml_is_shown_as_it_came_out(
    renderer: SubprocessRenderer,
) -> None:
    assert (await rendered(renderer, "a: [{{ .n }}", n=1)).texts == {"resources": "a: [1"}


@pytest.mark.parametrize(
    "source",
    [
        "{{ fail .password }}",
        "{{ fail (printf `%q` .password) }}",
        "{{ .password | atoi | div 1 }}",
        "a: 0{{ .number }}",
        "{{ .password }}: 1\n{{ .password }}: 2",
        "{{ .password | trunc 6 }}: 1\n{{ .password | trunc 6 }}: 2",
        "a: &{{ .number }} b",
        "a: !{{ .number }} b",
        "a: {{ fail .key }}",
    ],
)
async def test_a_fault_never_quotes_a_secret(renderer: SubprocessRenderer, source: str) -> None:
    fault = await fault_of(
        renderer,
        source,
        password=Secret("correct horse battery"),
        number=Secret("1234567"),
        key=Secret("-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----\n"),
    )
    for part in ("corre", "12345", "AAAAB"):
        assert part not in fault.detail


async def test_a_secret_is_given_to_the_template_in_the_clear(renderer: SubprocessRenderer) -> None:
    rendering = await rendered(renderer, "a: {{ .password }}", password=Secret("hunter2"))
    assert rendering.texts == {"resources": "a: hunter2\n"}


async def test_only_a_few_words_of_a_long_fault_are_told(renderer: SubprocessRenderer) -> None:
    fault = await fault_of(renderer, "{{ fail (repeat 100000 `word `) }}")
    assert len(fault.detail) < 600


# That it can hurt nobody.

ENDLESS = "{{ range 1000000000000 }}{{ end }}"
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


async def test_a_worker_that_has_no_memory_left_is_replaced() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await rendered(renderer, "a: 1")
        (pid,) = renderer.idle_workers
        await fault_of(renderer, "{{ repeat 2000000000 `x` }}")
        assert renderer.idle_workers == []
        await becomes_true(lambda: not is_running(pid))
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}
        assert renderer.idle_workers != [pid]


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


def processor_ticks(pid: int) -> int:
    """Hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


async def busy(renderer: SubprocessRenderer) -> tuple[int, asyncio.Task[Rendering]]:
    """A worker, and the request whose second of three sections it cannot end."""
    await rendered(renderer, "a: 1")
    pid = next(iter(renderer.idle_workers))
    before = processor_ticks(pid)
    sections = [section("a: 1", "first"), section(ENDLESS, "second"), section("c: 3", "third")]
    request = asyncio.create_task(renderer.render(sections, {}))
    await becomes_true(lambda: processor_ticks(pid) > before + 5)
    return pid, request


async def test_a_worker_that_hangs_is_killed_and_the_section_is_named() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        pid, request = await busy(renderer)
        os.kill(pid, signal.SIGSTOP)
        rendering = await request
        assert rendering.texts == {"first": "a: 1\n"}
        assert rendering.faults[0].section == "second"
        assert "does not come to an end within 3.2 seconds" in rendering.faults[0].detail
        await becomes_true(lambda: not is_running(pid))
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}


async def test_a_worker_that_is_killed_ends_one_section_and_not_the_others() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        pid, request = await busy(renderer)
        os.kill(pid, signal.SIGKILL)
        rendering = await request
        assert rendering.texts == {"first": "a: 1\n", "third": "c: 3\n"}
        (fault,) = rendering.faults
        assert (fault.section, fault.detail) == (
            "second",
            "took more memory or time than it may, and was ended",
        )


async def test_a_worker_that_died_while_idle_is_replaced_without_a_fault() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await rendered(renderer, "a: 1")
        pid = next(iter(renderer.idle_workers))
        os.kill(pid, signal.SIGKILL)
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}
        assert renderer.idle_workers != [pid]


async def test_a_request_that_is_given_up_frees_its_worker() -> None:
    async with SubprocessRenderer(workers=1, limits=SHORT) as renderer:
        pid, request = await busy(renderer)
        request.cancel()
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}
        await becomes_true(lambda: not is_running(pid))


async def test_too_many_waiting_requests_are_turned_away() -> None:
    async with SubprocessRenderer(workers=1, waiting=1, limits=SHORT) as renderer:
        _, first = await busy(renderer)
        waiting = asyncio.create_task(rendered(renderer, "a: 1"))
        await becomes_true(lambda: renderer.waiting_requests == 1)
        with pytest.raises(Overloaded):
            await rendered(renderer, "a: 2")
        assert (await waiting).texts == {"resources": "a: 1\n"}
        assert (await first).faults


async def test_a_warm_worker_is_used_again() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await rendered(renderer, "a: 1")
        first = renderer.idle_workers
        await rendered(renderer, ENDLESS)
        assert renderer.idle_workers == first


async def test_a_worker_without_work_ends() -> None:
    async with SubprocessRenderer(limits=SHORT, idle_seconds=0.01) as renderer:
        await rendered(renderer, "a: 1")
        pids = renderer.idle_workers
        await becomes_true(lambda: not renderer.idle_workers)
        await becomes_true(lambda: not any(map(is_running, pids)))


async def test_no_worker_is_left_when_the_renderer_closes() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await asyncio.gather(rendered(renderer, "a: 1"), rendered(renderer, "a: 2"))
        pids = renderer.idle_workers
        assert len(pids) == 2
    assert not any(map(is_running, pids))


def status_of(pid: int) -> Mapping[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_every_function_works_without_loading_anything(renderer: SubprocessRenderer) -> None:
    """A worker can open nothing any more, so what a function needs must be there already."""
    arguments = ["", "`a`", "1", "`1.2.3` `a`", "1 2", "(list 1 2)", "(dict `a` 1)", "`a` `b` `c`"]
    sources = [f"{{{{ {name} {rest} }}}}" for name in functions() for rest in arguments]
    sections = [SectionSource(source, source, is_yaml=False) for source in sources]
    rendering = await renderer.render(sections, {})
    assert len(rendering.texts) > len(functions())
    for fault in rendering.faults:
        assert not re.search("import|module|open|denied|permitted|Errno", fault.detail), fault


async def test_a_worker_has_neither_rights_nor_files_nor_surroundings(
    renderer: SubprocessRenderer,
) -> None:
    await rendered(renderer, "a: 1")
    pid = next(iter(renderer.idle_workers))
    status = status_of(pid)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert os.getsid(pid) == pid
    assert sorted(path.name for path in Path(f"/proc/{pid}/fd").iterdir()) == ["0", "1"]
    assert Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")[0] == b"TZ=UTC"
    if os.geteuid() == 0:
        assert "0" not in status["Uid"].split()
        assert status["CapEff"] == "0000000000000000"


async def test_a_hundred_lines_are_rendered_at_once_when_warm(renderer: SubprocessRenderer) -> None:
    source = "".join(
        f"key{n}: {{{{ .name | quote }}}}\n{{{{- if gt .count {n} }}}}\n"
        f"sub{n}: {{{{ add .count {n} }}}}\n{{{{- end }}}}\n"
        for n in range(25)
    )
    await rendered(renderer, source, name="db", count=12)
    took = []
    for _ in range(20):
        started = time.perf_counter()
        await rendered(renderer, source, name="db", count=12)
        took.append(time.perf_counter() - started)
    assert sorted(took)[10] < 0.020
