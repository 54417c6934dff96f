"""What a template gives."""

import os
import signal
import time

import pytest

from adapters.gotpl.renderer import SubprocessRenderer
from application.ports import Rendering, SectionSource
from tests.adapters.gotpl.asking import rendered

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


@pytest.mark.parametrize(
    "source",
    ["\ufeffa: {{ .b }}\n", "\ufeff---\na: {{ .b }}\n", "\ufeff{{/* c */}}# d\na: {{ .b }}\n"],
)
async def test_a_byte_order_mark_before_the_yaml_is_left_out(
    renderer: SubprocessRenderer, source: str
) -> None:
    rendering = await rendered(renderer, source, b="c")
    assert rendering.texts == {"resources": "a: c\n"}
    assert rendering.documents == {"resources": [{"a": "c"}]}


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
