"""The same source and values give the same text as in Go with sprig, or fail at the same place."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.gotpl.engine import Engine, TemplateFault
from adapters.gotpl.functions import BUILTINS, NOT_OFFERED, functions
from adapters.gotpl.limits import MEBIBYTE, Limits
from tests.adapters.gotpl import combinations
from tests.adapters.gotpl.corpus.arguments import with_all_arguments
from tests.adapters.gotpl.corpus.constructs import of_constructs
from tests.adapters.gotpl.corpus.differences import DIFFERENT
from tests.adapters.gotpl.corpus.functions import FUNCTIONS, of_function
from tests.adapters.gotpl.corpus.patterns import TEXTS, of_patterns
from tests.adapters.gotpl.corpus.values import VALUES
from tests.adapters.gotpl.go import GoTemplates, Outcome

full = pytest.mark.full

pytestmark = pytest.mark.timeout(300)

BESIDE_SPRIG = frozenset(
    {"fromJsonArray", "fromYaml", "fromYamlArray", "include", "required", "toYaml"}
)
"""Helm's functions, of which the names are all that sprig's list lacks."""

ANSWERS_IN_ANY_ORDER = ("keys", "values")
"""Ours are sorted, so that the same values always give the same text."""

NO_VALUE = "this has no value"
"""Go prints `<no value>` and goes on: here nobody is to install that."""

EXAMPLES = 500

ENGINE = Engine(Limits(output_bytes=16 * MEBIBYTE))


def ours(source: str, values: Mapping[str, Any]) -> Outcome:
    try:
        return Outcome(ENGINE.render(source, json.loads(json.dumps(values))).text)
    except TemplateFault as fault:
        return Outcome(None, fault.detail, fault.line, fault.column)


def is_the_same(source: str, our: Outcome, go: Outcome) -> bool:
    if source in DIFFERENT:
        return True
    if our.says.startswith(NO_VALUE):
        return go.text is None or "<no value>" in go.text
    if our.text is not None and go.text is not None:
        is_sorted = source.startswith(tuple(f"{{{{ {name} " for name in ANSWERS_IN_ANY_ORDER))
        return sorted(our.text) == sorted(go.text) if is_sorted else our.text == go.text
    if our.text is not None or go.text is not None:
        return False
    return our.line == go.line and go.column in (None, our.column)


def differences(
    go: GoTemplates, sources: Iterable[str], values: Mapping[str, Any] = VALUES
) -> list[tuple[str, Outcome, Outcome]]:
    outcomes = ((source, ours(source, values), go.render(source, values)) for source in sources)
    return [
        (source, our, theirs)
        for source, our, theirs in outcomes
        if not is_the_same(source, our, theirs)
    ]


def test_each_function_that_is_offered_has_cases() -> None:
    assert set(FUNCTIONS) == {*functions(), "include"} - set(BUILTINS)


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_what_is_not_offered_says_why(name: str) -> None:
    assert ours(f"\n{{{{ {name} }}}}", {}) == Outcome(
        None, f"the function {name} is not offered, {NOT_OFFERED[name]}", 2, 4
    )


@full
def test_each_function_of_sprig_is_offered_or_left_out_for_a_reason(
    go_templates: GoTemplates,
) -> None:
    assert go_templates.sprig_functions() == (set(FUNCTIONS) - BESIDE_SPRIG) | set(NOT_OFFERED)


@full
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_answers_as_in_go(go_templates: GoTemplates, name: str) -> None:
    assert differences(go_templates, of_function(name)) == []


@full
@pytest.mark.parametrize("text", TEXTS)
def test_a_pattern_finds_what_it_finds_in_go(go_templates: GoTemplates, text: str) -> None:
    assert differences(go_templates, of_patterns(text)) == []


@full
def test_every_construct_does_what_it_does_in_go(go_templates: GoTemplates) -> None:
    assert differences(go_templates, of_constructs()) == []


@full
@pytest.mark.parametrize("name", [*functions(), "include"])
def test_a_function_takes_and_refuses_what_it_does_in_go(
    go_templates: GoTemplates, name: str
) -> None:
    assert differences(go_templates, with_all_arguments(name)) == []


@full
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(source=combinations.sources())
def test_combinations_do_what_they_do_in_go(go_templates: GoTemplates, source: str) -> None:
    assert differences(go_templates, [source], combinations.VALUES) == []
