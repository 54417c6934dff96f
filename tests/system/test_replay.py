"""A cluster's history is told event by event: who, when, from where, why, and what it changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.quarterdeck import Quarterdeck, quarterdeck
from tests.system.declared import declare

pytestmark = pytest.mark.slow


@pytest.fixture
def program(folder: Path) -> Iterator[Quarterdeck]:
    """With a cluster `told` that was declared, then declared otherwise."""
    with quarterdeck(folder) as program:
        told = declare(program, "told")
        values = {**told.cluster["values"], "greeting": "good day"}
        told.api.ok("PUT", f"clusters/{told.cluster['id']}", {**told.cluster, "values": values})
        yield program


def replayed(program: Quarterdeck, *words: str) -> str:
    ended = program.run("replay", *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def as_objects(program: Quarterdeck, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in replayed(program, "told", "--json", *words).splitlines()]


def test_each_event_is_told_with_who_from_where_why_and_what_it_changed(
    program: Quarterdeck,
) -> None:
    steps = as_objects(program)
    topics = [step["topic"] for step in steps]
    assert topics == [f"cluster.{w}" for w in ("created", "rendered", "configured", "rendered")]
    changed = steps[2]
    assert (changed["actor"]["type"], changed["actor"]["name"]) == ("AuthToken", "test")
    assert changed["remote_address"] == "127.0.0.1"
    assert changed["correlation_id"].replace("-", "") == changed["request_id"]
    assert changed["changes"] == {
        "configuration.values.greeting": ["hello", "good day"],
        "revision": [1, 2],
    }
    assert steps[0]["changes"]["ssh_private_key"] == [None, "********"]

    told = replayed(program, "told", "--diff")
    assert "cluster.configured v3  test from 127.0.0.1" in told
    assert f"why: request {changed['request_id']}" in told
    assert "  - configuration.values.greeting: hello\n" in told
    assert "  + configuration.values.greeting: good day\n" in told

    then = [step["topic"] for step in as_objects(program, "--at", steps[1]["recorded_at"])]
    assert then == topics[:2]
    assert replayed(program, changed["stream_id"]) == replayed(program, "told")


def test_what_is_not_there_is_told_in_a_sentence(program: Quarterdeck) -> None:
    for words, sentence in (
        (["nobody"], "There is no stream and no cluster named nobody."),
        (["told", "--at", "yesterday"], "yesterday"),
    ):
        ended = program.run("replay", *words)
        assert ended.returncode != 0
        assert sentence in ended.stderr
        assert "Traceback" not in ended.stderr
