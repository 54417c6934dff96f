"""No value in any place of a request is answered with a 5xx, at length, or with a way elsewhere.

The places are read from the program: every route and parameter of the API's table, every page and
every name that its module asks an address or a form for, every header that is read. Each name meets
each value, on one of the operations that read it in turn; `make soak` has all on all.
"""

import inspect
import json
import logging
import os
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import quote

import pytest

from adapters.http.api.table import PREFIX, TABLE
from adapters.http.routing import Within
from adapters.http.web.routes import PAGES
from application.sign_in import UseSignInLink
from tests.adapters.http.hostile import (
    ELSEWHERE,
    JSON_VALUES,
    NO_ID,
    cursors,
    encoded,
    spellings,
    values,
    wrong,
)
from tests.adapters.http.raw_client import Answer, RawClient
from tests.adapters.http.web.fleet import fill
from tests.adapters.http.web.house import MIRA, House, served

pytestmark = pytest.mark.slow

IS_WHOLE = bool(os.environ.get("SOAK_HOSTILE_INPUT"))
JSON = (b"Content-Type", b"application/json")
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
HTML = (b"Accept", b"text/html")
READS = re.compile(
    r"(?:query|number|instant|_line|_end|query_params\.get(?:list)?|parameters\.get(?:list)?)"
    r'\((?:visit, |request, )?"(\w+)"'
)
SENDS = re.compile(r'form\.(?:text|line|all|ids|under|number)\(f?"([\w.]+)"')
IMPORTS = re.compile(r"from (adapters\.http\.web\.\w+) import")
OF_ALL = frozenset({"at", "after", "nonsense"})
IDS = frozenset({"version", "template", "task", "subject", "id", "from", "to", "values_of"})
WORDS = frozenset({"nonsense", "archived", "failures", "every", "ended", "out", "action", "show"})
"""Read by comparing them with a word: a few values will do."""
READ_CLOSELY = frozenset({"position", "line", "open", "from", "before", "tab", "current_revision"})
READ_CLOSELY |= {"at", "after", "since", "until", "next", "back", "here"}
"""Read as numbers, instants or addresses: each value counts."""
ENDS = ("sign-out", "archive", "delete", "revoke", "cancel", "withdraw", "selected", "DELETE")
"""What ends something comes last, so that all else is tried on what is there."""
HEADERS = (
    b"Accept",
    b"Accept-Encoding",
    b"Authorization",
    b"Connection",
    b"Content-Encoding",
    b"Content-Type",
    b"Cookie",
    b"Expect",
    b"Forwarded",
    b"HX-Request",
    b"Host",
    b"Idempotency-Key",
    b"If-Match",
    b"If-None-Match",
    b"If-Modified-Since",
    b"Last-Event-ID",
    b"Origin",
    b"Range",
    b"Referer",
    b"Sec-Fetch-Site",
    b"Traceparent",
    b"Tracestate",
    b"Upgrade",
    b"X-Auth-Token",
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"X-Forwarded-Proto",
    b"X-Request-ID",
)
IN_HEADERS = (
    b'"' + b"1" * 5000 + b'"',
    b"1" * 5000,
    b"9223372036854775808",
    b'W/"1-a", "2"',
    b'"',
    b"\xd9\xa3",
    b"\xff\xfe\xed\xa0\x80",
    b"a" * 9000,
    b"//[",
    b"[",
    b"quarterdeck.test:99999",
    b"quarterdeck.test@evil.example",
    b"Bearer " + b"\xff" * 50,
    b"Bearer",
    b"qd=qds_\xff; qd=x; qd_span=" + b"9" * 99 + b"; qd_columns=\\; qd_theme",
    b";=;=" * 2000,
    b"qd_said=%00%ff%ud800<script>",
    b"text/csv, application/x-ndjson;q=\xff",
    b"bytes=9999999999999999999999-0",
    b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-ff",
    b'for="[::1";host="//["',
    b"203.0.113.7:99999999999999999999, [::1, unknown, fe80::1%\xff",
    b",,,,",
    b"gzip, identity",
    b"websocket",
    b"100-continue",
    b"multipart/form-data; boundary=" + b"x" * 500,
    b"application/json; charset=\xff",
    b"0",
)


@dataclass(slots=True)
class Site:
    """A served house, someone signed in, and the ids of what is in it."""

    client: RawClient
    host: str
    cookie: bytes
    ids: dict[str, str]

    async def ask(
        self, method: str, target: bytes, *headers: tuple[bytes, bytes], body: bytes | None = None
    ) -> Answer:
        given = [(b"Cookie", self.cookie), *headers]
        if any(name == b"Cookie" for name, _ in headers):
            given = list(headers)
        return await self.client.ask(method, target, given, body)


@pytest.fixture
async def site(house: House) -> AsyncIterator[Site]:
    await fill(house)
    await house.shown()
    records = await house.hub.store.read(limit=10_000)
    first = {record.event.topic: str(record.stream_id) for record in reversed(records)}
    template = next(r for r in records if r.event.topic == "cluster_template.version_added")

    session = (await house.manage(UseSignInLink(link=await house.link(MIRA)))).result
    ids = {
        "workspace": "example",
        "workspace_id": first["workspace.created"],
        "cluster_id": first["cluster.created"],
        "template_id": first["cluster_template.created"],
        "cluster_template_id": first["cluster_template.created"],
        "version_id": str(template.event.version_id),
        "task_id": first["task.queued"],
        "token_id": NO_ID,
        "auth_token_id": NO_ID,
        "position": str(records[-1].position),
    }
    async with served(house) as url, RawClient(house.hub.settings.port, url[7:]) as client:
        yield Site(client, url[7:], f"qd={session.cookie}".encode(), ids)


Asked = tuple[str, bytes, tuple[tuple[bytes, bytes], ...], bytes | None]


async def must_hold(site: Site, requests: Iterable[Asked], log: pytest.LogCaptureFixture) -> None:
    """Send them all; tell all that was answered wrongly, and what was logged as a defect."""
    told: list[str] = []
    count = 0
    with log.at_level(logging.ERROR):
        for method, target, headers, body in requests:
            count += 1
            what = f"{method} {target[:300]!r} {headers!r:.300} {(body or b'')[:200]!r}"
            try:
                answer = await site.ask(method, target, *headers, body=body)
            except (OSError, EOFError, TimeoutError) as error:
                site.client.close()
                told.append(f"{what}: {error!r}")
                continue
            if problem := wrong(answer):
                told.append(f"{what}: {problem}")
    assert not told, f"{len(told)} of {count}:\n" + "\n".join(told[:40])
    defects = [r for r in log.records if r.levelno >= logging.ERROR and not has_left(r)]
    assert not defects, [(r.getMessage(), r.exc_info) for r in defects[:20]]
    assert count


def has_left(record: logging.LogRecord) -> bool:
    """Whether the server wrote to a client in the very moment in which it left."""
    error = record.exc_info[1] if record.exc_info else None
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)


def names_of_page(module_name: str, pattern: re.Pattern[str]) -> set[str]:
    """What a page's module, and those that it imports, ask an address or a form for."""
    source = inspect.getsource(sys.modules[module_name])
    found = set(pattern.findall(source))
    for other in IMPORTS.findall(source):
        if other in sys.modules:
            found |= set(pattern.findall(inspect.getsource(sys.modules[other])))
    return found


def paths(method: str, ids: dict[str, str]) -> Iterator[tuple[bytes, str]]:
    """The address of every page of a method, and its module."""
    for page in PAGES:
        if page.method == method:
            yield page.path.format_map(ids).encode(), page.show.__module__
    if method == "GET":
        yield from ((b"/sign-in", "adapters.http.web.sign_in"), (b"/documentation", __name__))
        yield b"/nowhere/at/all", __name__
    else:
        yield b"/sign-in", "adapters.http.web.sign_in"
        yield b"/preferences", "adapters.http.web.preferences"


def spread(
    places: dict[str, list[bytes]], ids: dict[str, str]
) -> Iterator[tuple[bytes, str, bytes]]:
    """Each value for each name, at one of its places in turn; in the soak at all of them."""
    for name, targets in sorted(places.items()):
        turns = cycle(targets)
        for value in values_for(name, ids):
            for target in targets if IS_WHOLE else (next(turns),):
                yield target, name, value


def values_for(name: str, ids: dict[str, str]) -> list[bytes]:
    """What a name is tried with: all values, and for an id other spellings of those there are."""
    known = [ids["version_id"], ids["cluster_id"], ids["task_id"], NO_ID] if name in IDS else []
    others = [encoded(text) for id_ in known for text in (id_, *spellings(id_))]
    step = 1 if IS_WHOLE or name in READ_CLOSELY else 10 if name in WORDS else 3
    return values()[::step] + others


async def test_no_parameter_of_a_page_or_live_stream_is_answered_with_a_defect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    places: dict[str, list[bytes]] = defaultdict(list)
    for path, module in paths("GET", site.ids):
        for name in names_of_page(module, READS) | OF_ALL:
            places[name].append(path)
    requests = [
        ("GET", b"%s?%s=%s" % (path, name.encode(), value), (HTML,), None)
        for path, name, value in spread(places, site.ids)
    ]
    for path in places["cursor"]:
        requests += [
            ("GET", b"%s?cursor=%s" % (path, encoded(cursor)), (HTML,), None)
            for cursor in islice(cursors(), 0, None, 1 if IS_WHOLE else 3)
        ]
    await must_hold(site, requests, caplog)


async def test_no_path_is_answered_with_a_defect_or_leads_elsewhere(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    requests = []
    for page in PAGES:
        for name in re.findall(r"{(\w+)}", page.path):
            for value in values()[:: 1 if IS_WHOLE else 12]:
                parts = {key: quote(id_) for key, id_ in site.ids.items()} | {name: "\1"}
                target = page.path.format_map(parts).encode().replace(b"\1", value)
                if b"live" not in target:
                    requests.append((page.method, target, (HTML, FORM), None))
    for text in ELSEWHERE:
        for head in ("", "/", "/static/", "/api/", "/documentation", "/sign-in"):
            target = quote(f"{head}{text}", safe="/\\:@[]").encode()
            if not target.startswith((b"/", b"http:")):
                continue
            for headers in ((HTML,), (HTML, (b"Cookie", b"")), ((b"HX-Request", b"true"),)):
                requests.append(("GET", target, headers, None))
                requests.append(("POST", target, headers, b""))
    await must_hold(site, requests, caplog)


async def test_no_field_of_a_form_is_answered_with_a_defect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    usual = {
        "version": site.ids["version_id"],
        "template": site.ids["template_id"],
        "workspace": "example",
        "id": NO_ID,
        "name": "a-name",
        "check_interval": "5",
        "change_mode": "auto",
        "do": "check",
        "lasts": "30",
        "rights": "read",
        "how": "destroy",
        "section.0.name": "A",
        "section.0.source": "a: {{ .a }}",
        "params": "- {key: a, title: A, type: number}",
        "values.region": "a",
    }
    places: dict[str, list[bytes]] = defaultdict(list)
    fields: dict[bytes, set[str]] = {}
    for path, module in sorted(paths("POST", site.ids), key=lambda each: each[0].endswith(b"try")):
        if any(word.encode() in path for word in ENDS):
            continue
        names = names_of_page(module, SENDS) | {"nonsense"}
        names |= {f"{n}x" for n in names if n.endswith(".")} | {"values.", "values.workers"}
        fields[path] = names
        for name in names:
            places[name].append(path)
    requests = []
    for path, name, value in spread(places, site.ids):
        given = {key: encoded(usual[key]) for key in fields[path] & usual.keys()} | {name: value}
        body = b"&".join(b"%s=%s" % (encoded(key), text) for key, text in given.items())
        requests.append(("POST", path, (HTML, FORM), body))
    await must_hold(site, requests, caplog)


async def test_no_parameter_or_id_of_an_operation_is_answered_with_a_defect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    places: dict[str, list[bytes]] = defaultdict(list)
    requests: list[Asked] = []
    for route in TABLE.routes:
        path = (PREFIX + route.path).format_map(site.ids).encode()
        for name in (*route.parameters.model_fields, "nonsense"):
            if route.method == "GET":
                places[name].append(path)
        for name in route.names:
            for value in values()[:: 1 if IS_WHOLE else 12]:
                parts = site.ids | {name: "\1"}
                target = (PREFIX + route.path).format_map(parts).encode().replace(b"\1", value)
                requests.append((route.method, target, (), None))
    for path, name, value in spread(places, site.ids):
        workspace = b"" if name == "workspace" else b"&workspace=example"
        requests.append(("GET", b"%s?%s=%s%s" % (path, name.encode(), value, workspace), (), None))
    for path in places["cursor"]:
        for n, cursor in enumerate(cursors()):
            sort = (b"name", b"urgency", b"last_change", b"created")[n % 4]
            more = b"&sort=" + sort if path.endswith(b"/clusters") else b""
            target = b"%s?workspace=example&cursor=%s%s" % (path, encoded(cursor), more)
            requests.append(("GET", target, (), None))
    await must_hold(site, requests, caplog)


async def test_no_field_of_a_body_is_answered_with_a_defect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    requests: list[Asked] = []
    for route in sorted(TABLE.routes, key=lambda each: each.method in ENDS):
        if route.takes is None:
            continue
        target = (PREFIX + route.path).format_map(site.ids).encode()
        if route.within is not Within.NONE:
            target += b"?workspace=example"
        known = sorted(route.takes.command.model_fields.keys() - site.ids.keys())
        usual = {
            "name": b'"a-name"',
            "current_revision": b"1",
            "cluster_template_version_id": json.dumps(site.ids["version_id"]).encode(),
        }
        for name in (*known, "values", "nonsense"):
            for value in JSON_VALUES:
                given = {key: usual[key] for key in known if key in usual} | {name: value}
                body = b",".join(b'"%s":%s' % (key.encode(), text) for key, text in given.items())
                requests.append((route.method, target, (JSON,), b"{%s}" % body))
        requests += [(route.method, target, (JSON,), value) for value in JSON_VALUES]
    await must_hold(site, requests, caplog)


async def test_no_header_is_answered_with_a_defect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = f"{PREFIX}/clusters/{site.ids['cluster_id']}?workspace=example"
    turns = (
        ("GET", cluster, None),
        ("PUT", cluster, b'{"name":"a-name","current_revision":1}'),
        ("GET", f"{PREFIX}/events?workspace=example", None),
        ("GET", f"{PREFIX}/audit", None),
        ("GET", "/workspaces/example/clusters", None),
        ("GET", "/workspaces/example/clusters/live", None),
        ("GET", "/static/quarterdeck.css", None),
        ("GET", "/readyz", None),
        ("POST", "/preferences", b"back=/"),
        ("POST", "/workspaces/example/settings", b"name=Example"),
        ("GET", "/sign-in?next=/", None),
        ("OPTIONS", "/", None),
        ("HEAD", "/workspaces/example/clusters", None),
    )
    kind = {"PUT": JSON, "POST": FORM}
    requests: list[Asked] = []
    for name in HEADERS:
        for value in IN_HEADERS:
            for method, target, body in turns:
                lines = [(name, value)]
                if method in kind and name != b"Content-Type":
                    lines.append(kind[method])
                requests.append((method, target.encode(), tuple(lines), body))
    await must_hold(site, requests[:: 1 if IS_WHOLE else 17], caplog)


LINES = (
    b"GET //[ HTTP/1.1",
    b"GET //evil.example/ HTTP/1.1",
    b"GET http://[ HTTP/1.1",
    b"GET http://evil.example/ HTTP/1.1",
    b"GET http://x:99999999/ HTTP/1.1",
    b"GET * HTTP/1.1",
    b"GET ? HTTP/1.1",
    b"GET /\xff\xfe HTTP/1.1",
    b"GET /?q=\xff\xfe HTTP/1.1",
    b"GET /clusters?q=\xed\xa0\x80 HTTP/1.1",
    b"GET /%00 HTTP/1.1",
    b"GET /%ff%fe/%c0%ae%c0%ae/ HTTP/1.1",
    b"GET /..%2f..%2fetc/passwd HTTP/1.1",
    b"GET /static/..%2f..%2f%00 HTTP/1.1",
    b"GET /#fragment HTTP/1.1",
    b"GET / HTTP/9.9",
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
    b"GET / HTTP/1.1\r\nContent-Length: -1",
    b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999",
    b"GET / HTTP/1.1\r\nA\x00: b",
    b"OPTIONS * HTTP/1.1",
    b"TRACE / HTTP/1.1",
    b"PROPFIND / HTTP/1.1",
    b"CONNECT evil.example:443 HTTP/1.1",
    b"QUERY /api/v1/clusters HTTP/1.1",
    b"NONSENSE / HTTP/1.1",
)


async def test_no_request_line_is_answered_with_a_defect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"%s\r\nHost: %s\r\nCookie: %s\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    with caplog.at_level(logging.ERROR):
        for line in LINES:
            answer = await site.client.say(head % (line, site.host.encode(), site.cookie))
            assert not wrong(answer), (line, wrong(answer))
            site.client.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
