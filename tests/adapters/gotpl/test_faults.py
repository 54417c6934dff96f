"""What a fault says, where it says the template is wrong, and that it quotes no secret."""

import pytest

from adapters.gotpl.renderer import SubprocessRenderer
from application.ports import Renderer
from domain.secrets import Secret
from tests.adapters.gotpl.asking import fault_of, rendered, section

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
