"""The small parts of pages: code, differences, times, forms, paths, the pace of live parts."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from adapters.http.problems import BadRequest
from adapters.http.web import words
from adapters.http.web.cluster_view import View
from adapters.http.web.code import numbered, yaml_lines
from adapters.http.web.differences import difference
from adapters.http.web.forms import Faults, Form, faults_of, id_of
from adapters.http.web.live import Pace
from adapters.http.web.local import back, with_query
from adapters.http.web.parameter_fields import Field, Filled, form_fields, values_of
from adapters.http.web.rail import SPANS, bars
from adapters.http.web.sentences import field_changes, told
from adapters.http.web.times import Times, age, duration, instant, short
from adapters.http.web.words import ICONS, INFRASTRUCTURE, PHRASES, TASKS, initials, plural
from domain.clusters import ClusterStatus
from domain.input_parameters import parse_parameters
from domain.model import Event, Fault, Invalid
from domain.secrets import MASK
from domain.tasks import TaskStatus

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "a: 1",
        "- name: worker",
        "-1",
        "- - nested",
        "key with space: 'text: # no comment'  # comment",
        "image: registry/x:1.2 # tag",
        'greeting: "{{ .greeting | quote }}"',
        "{{- if .x }}",
        "<script>alert(1)</script>: &anchor",
        "---",
        "",
        "  weird\ttabs",
    ],
)
def test_colours_change_no_letter(line: str) -> None:
    shown = "".join(str(each) for each in yaml_lines(line))
    assert unescape(re.sub(r"</?span[^>]*>", "", shown)) == line


def test_a_block_of_text_has_one_colour() -> None:
    lines = yaml_lines("script: |\n  echo a: b\n  # no comment\nnext: 1")
    assert str(lines[1]) == '<span class="tok-string">  echo a: b</span>'
    assert str(lines[2]) == '<span class="tok-string">  # no comment</span>'
    assert "tok-propertyName" in lines[3]


def test_a_fault_stands_under_its_line() -> None:
    shown = str(numbered("a: 1\nb: 2", {2: ["Not <so>."]}))
    assert shown.count('class="ln') == 2
    assert '<span class="ln is-bad">' in shown
    assert '<span class="code-bad">Not &lt;so&gt;.</span>' in shown


def test_a_difference_marks_what_changed_inside_a_line() -> None:
    found = difference("a: 1\nworkers: 2\nz: 3\n", "a: 1\nworkers: 4\nz: 3\n")
    assert found.count == 2
    assert [line.sign for line in found.lines] == [" ", "-", "+", " "]
    assert str(found.lines[2].text) == "workers: <b>4</b>"


def test_equal_stretches_are_folded() -> None:
    before = "\n".join(f"line{n}: x" for n in range(40))
    found = difference(before, before.replace("line20: x", "line20: y"))
    assert [line.sign for line in found.lines] == ["@", *"   -+   ", "@"]
    assert str(found.lines[0].text) == "17 equal lines"
    assert difference(before, before).count == 0


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0414, "41 ms"), (4, "4 s"), (252, "4 min 12 s"), (7500, "2 h 5 min"), (273600, "3 d 4 h")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "0 s"), (40, "40 s"), (1600, "26 min"), (9000, "2 h"), (86400 * 400, "400 d")],
)
def test_ages(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


def test_times_are_short_near_now_and_long_far_away() -> None:
    assert short(NOON, NOON) == "12:00"
    assert short(NOON - timedelta(days=1), NOON) == "20 Nov"
    assert short(datetime(2024, 5, 3, tzinfo=UTC), NOON) == "3 May 2024"


def test_a_time_is_told_in_the_zone_with_utc_on_it() -> None:
    times = Times(NOON, ZoneInfo("Europe/Oslo"))
    assert str(times.moment("2026-11-21T11:30:00.000000Z")) == (
        '<time datetime="2026-11-21T11:30:00Z" data-as="moment"'
        ' title="21 November 2026 11:30:00 UTC">12:30</time>'
    )


def test_an_instant_may_be_written_with_and_without_a_zone() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    assert instant("2026-11-21T12:00", oslo) == NOON - timedelta(hours=1)
    assert instant("2026-11-21T12:00:00Z", oslo) == NOON
    assert instant("2026-11-21T13:00:00 01:00", oslo) == NOON
    assert instant("2026-11-21", oslo) == datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert instant("yesterday", oslo) is None
    assert instant("9999-12-31T23:59:59-23:59", oslo) is None


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "\\\\evil.example", "evil", "", "/\nx", "/\\evil"],
)
def test_nobody_is_sent_elsewhere(elsewhere: str) -> None:
    assert back(elsewhere) == "/"


def test_a_query_is_changed_in_place() -> None:
    assert with_query("/x?a=1&b=2#c", {"b": None, "d": [3, 4]}) == "/x?a=1&d=3&d=4#c"


def test_a_part_of_a_page_is_sent_at_once_and_then_paced() -> None:
    pace = Pace(quiet_seconds=0.25)
    pace.add(["a"], 10.0)
    assert pace.take(10.0) == {"a"}
    pace.add(["a"], 10.01)
    pace.add(["a", "b"], 10.02)
    assert pace.take(10.02) == {"b"}
    assert pace.rest(10.02) == pytest.approx(0.23)
    assert pace.take(10.25) == {"a"}
    assert pace.rest(10.25) is None


def test_bars_are_drawn_where_something_happened() -> None:
    start = NOON - timedelta(hours=24)
    rows = [
        {"at": "2026-11-20T12:00:00.000000Z", "changes": 100, "failures": 0},
        {"at": "2026-11-21T11:52:30.000000Z", "changes": 1, "failures": 1},
    ]
    drawn = bars(rows, SPANS["24h"], start)
    assert drawn.all == "M0 19v-14.0h2v14.0M955 19v-1.5h2v1.5"
    assert drawn.bad == "M955 19v-1.5h2v1.5"


def test_a_view_is_an_address_and_back() -> None:
    view = View(text="pay", statuses=("in_sync", "new"), archived=False)
    assert view.query() == {
        "q": "pay",
        "status": ["in_sync", "new"],
        "template": None,
        "version": None,
        "sort": None,
        "cursor": None,
    }


PARAMETERS = parse_parameters(
    [
        {"header": "Machine"},
        {"key": "host", "title": "Host", "type": "string", "immutable": True},
        {"key": "workers", "title": "Workers", "type": "number", "default": 2, "min": 1},
        {"key": "big", "title": "Big", "type": "boolean"},
        {"key": "maybe", "title": "Maybe", "type": "boolean", "optional": True},
        {"key": "zone", "title": "Zone", "type": "string", "enum": ["a", "b"], "optional": True},
        {"key": "word", "title": "Word", "type": "string", "format": "password"},
        {"key": "inner", "title": "Inner", "type": "string", "hidden": True, "default": "x"},
    ]
)


def test_values_have_the_type_of_their_parameter() -> None:
    form = Form(
        (
            ("values.host", "10.0.0.1"),
            ("values.workers", "3"),
            ("values.big", "true"),
            ("values.maybe", ""),
            ("values.zone", ""),
            ("values.word", "s3cret"),
        )
    )
    assert values_of(form, PARAMETERS) == {
        "host": "10.0.0.1",
        "workers": 3,
        "big": True,
        "word": "s3cret",
    }


def test_an_empty_password_keeps_the_one_that_is_there() -> None:
    values = values_of(Form(), PARAMETERS, {"inner": "kept"}, ["word"])
    assert values == {"big": False, "word": MASK, "inner": "kept"}


def test_fields_know_what_they_may_be() -> None:
    filled = Filled(
        values={"host": "10.0.0.1", "workers": 3, "zone": "gone", "word": "s3cret"},
        saved={"host": "10.0.0.1"},
        secrets=("word",),
        in_force={"workers": 2},
        faults=Faults({"/values/workers": ["Too many."]}),
    )
    fields = {each.key: each for each in form_fields(PARAMETERS, filled) if isinstance(each, Field)}
    assert fields["host"].is_locked
    assert fields["workers"].was == "2"
    assert fields["workers"].faults == ("Too many.",)
    assert fields["maybe"].control == "select"
    assert fields["big"].control == "check"
    assert ("gone", "gone, not offered any more") in fields["zone"].choices
    assert fields["word"].value == ""
    assert fields["word"].placeholder == "Kept. Leave empty to keep it."
    assert "inner" not in fields


def test_no_fault_is_lost() -> None:
    faults = faults_of(
        Invalid([Fault(pointer="/name", detail="is taken"), Fault(pointer="/odd", detail="is odd")])
    )
    assert faults.at("/name") == ["Is taken."]
    assert faults.but(["/name"]) == ["odd: Is odd."]


def test_what_is_no_id_is_said_to_be_none() -> None:
    with pytest.raises(BadRequest, match="is no id"):
        id_of("../../etc/passwd")


def test_every_status_has_its_word() -> None:
    assert set(INFRASTRUCTURE) == {status.value for status in ClusterStatus}
    assert set(TASKS) == {status.value for status in TaskStatus}


def test_no_phrase_is_of_an_event_that_is_not() -> None:
    assert set(PHRASES) <= set(Event.topics)
    endings = {topic.rpartition(".")[2] for topic in Event.topics}
    assert set(ICONS) <= endings


def test_changes_are_told_field_by_field() -> None:
    changes = {"values": [{"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}], "name": ["x", "y"]}
    found = [(each.field, each.before, each.after) for each in field_changes(changes, "update")]
    assert found == [("values.b", "2", "3"), ("values.c", None, "4"), ("name", "x", "y")]


def test_a_change_is_a_sentence() -> None:
    row = {
        "topic": "cluster.configured",
        "action": "update",
        "name": "pay-1",
        "audited_changes": {"values": [{"workers": 2}, {"workers": 4}]},
    }
    assert told(row) == "changed workers 2 → 4"


def test_words() -> None:
    assert initials("Mira Okafor") == "MO"
    assert initials("admin") == "AD"
    assert plural(1, "cluster") == "1 cluster"
    assert plural(2104, "cluster") == "2,104 clusters"


def test_the_last_change_is_told_as_a_sentence() -> None:
    def told(topic: str, detail: str) -> str:
        return words.last_change({"last_change": topic, "last_change_detail": detail})

    assert told("cluster.operation_requested", "install") == "asked to install it"
    assert told("cluster.applied", "install") == "installed it"
    assert told("cluster.created", "") == "declared the cluster"
    assert told("cluster.renamed", "a → b") == "renamed the cluster a → b"
