"""Search or run: clusters, templates, workspaces, pages and what can be done, by a few letters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape
from starlette.responses import Response

from adapters.http.web import pages
from adapters.http.web.endpoints import page
from adapters.http.web.local import back
from adapters.http.web.times import instant, rfc3339
from adapters.http.web.visit import Visit
from application.permissions import Permission
from projections.reader import Shown
from projections.subjects import subjects_called
from projections.workspaces import workspaces_within

MOST = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be gone to, or done."""

    text: str
    href: str
    icon: str
    beside: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


async def show(visit: Visit) -> Response:
    """What a few letters find; without any, where one can go."""
    text = visit.query("q")[:100]
    slug = visit.query("workspace") or visit.preferences.workspace or ""
    groups = await _groups(visit, text, slug)
    context: dict[str, Any] = {"text": text, "groups": groups, "slug": slug, "marked": marker(text)}
    if visit.is_fragment:
        return pages.fragment(visit, "palette/_found.html", **context)
    return await pages.page(visit, "palette/page.html", **context)


async def keys(visit: Visit) -> Response:
    """Every key that does something."""
    if visit.is_fragment:
        return pages.fragment(visit, "palette/_keys.html", level="h3")
    return await pages.page(visit, "palette/keys.html")


async def _groups(visit: Visit, text: str, slug: str) -> list[Group]:
    own = visit.principal.workspace_id
    workspaces = await workspaces_within(visit.reader, own)
    current = next((each for each in workspaces if each["slug"] == slug), None)
    groups = [
        Group("Found", tuple(await _found(visit, text, own, workspaces)) if text else ()),
        Group("In time", tuple(_instants(visit, text))),
        Group(current["name"] if current else "", tuple(_matching(_local(visit, current), text))),
        Group("Go to", tuple(_matching(_global(visit), text))),
    ]
    return [group for group in groups if group.entries]


async def _found(visit: Visit, text: str, own: UUID | None, workspaces: list[Shown]) -> list[Entry]:
    homes = {each["id"]: each for each in workspaces}
    found = await subjects_called(visit.reader, text, workspace_id=own, limit=MOST)
    return [
        _entry(visit, subject, homes[subject["workspace_id"]])
        for subject in found
        if subject["workspace_id"] in homes
    ]


def _entry(visit: Visit, subject: Shown, home: Shown) -> Entry:
    base = f"/workspaces/{home['slug']}"
    match subject["kind"]:
        case "Cluster":
            address = visit.to(f"{base}/clusters/{subject['id']}")
            return Entry(subject["name"], address, "clusters", f"cluster in {home['name']}")
        case "ClusterTemplate":
            address = visit.to(f"{base}/templates/{subject['id']}")
            return Entry(subject["name"], address, "template", f"template in {home['name']}")
        case _:
            return Entry(subject["name"], visit.to(f"{base}/clusters"), "workspace", "workspace")


def _instants(visit: Visit, text: str) -> list[Entry]:
    """An instant that is written out can be looked at."""
    moment = instant(text, visit.times.zone) if text[:1].isdecimal() and len(text) > 7 else None
    if moment is None or moment > visit.times.now:
        return []
    shown = f"Look at {moment.astimezone(visit.times.zone):%-d %B %Y %H:%M:%S}"
    target = visit.to(back(visit.query("here")), at=rfc3339(moment))
    return [Entry(shown, target, "past")]


def _local(visit: Visit, current: Shown | None) -> list[Entry]:
    """What can be gone to and done in the workspace."""
    if current is None:
        return []
    base = f"/workspaces/{current['slug']}"
    entries = [
        Entry("Clusters", visit.to(f"{base}/clusters"), "clusters", keys="g c"),
        Entry("Tasks", visit.to(f"{base}/tasks"), "tasks", keys="g k"),
        Entry("Templates", visit.to(f"{base}/templates"), "template", keys="g t"),
        Entry("Archive", visit.to(f"{base}/archive"), "archive"),
        Entry("Settings", visit.to(f"{base}/settings"), "sliders"),
    ]
    if visit.may(Permission.WRITE_CLUSTERS):
        entries.insert(0, Entry("New cluster", f"{base}/clusters/new", "plus"))
    if visit.may(Permission.WRITE_TEMPLATES):
        entries.append(Entry("New template", f"{base}/templates/new", "plus"))
    return entries


def _global(visit: Visit) -> list[Entry]:
    entries = [Entry("Fleet", visit.to("/"), "fleet", keys="g f")]
    optional = (
        (Permission.READ_AUDIT, Entry("Audit", visit.to("/audit"), "audit", keys="g a")),
        (Permission.READ_TOKENS, Entry("Tokens", visit.to("/tokens"), "key", keys="g o")),
        (Permission.READ_SYSTEM, Entry("System", visit.to("/system"), "system", keys="g s")),
    )
    entries += [entry for needed, entry in optional if visit.principal.may(needed)]
    if visit.may(Permission.WRITE_WORKSPACES):
        entries.append(Entry("New workspace", "/workspaces/new", "plus"))
    entries.append(Entry("Keyboard help", visit.to("/keys"), "help", keys="?"))
    return entries


def _matching(entries: list[Entry], text: str) -> list[Entry]:
    wanted = text.casefold().split()
    return [entry for entry in entries if all(word in entry.text.casefold() for word in wanted)]


def marker(text: str) -> Callable[[str], Markup]:
    """Marks the letters that were searched for."""

    def mark(name: str) -> Markup:
        place = name.casefold().find(text.casefold()) if text else -1
        if place < 0:
            return escape(name)
        end = place + len(text)
        return Markup("{}<mark>{}</mark>{}").format(name[:place], name[place:end], name[end:])

    return mark


PAGES = [
    page("/palette", show, Permission.READ_WORKSPACES),
    page("/keys", keys, Permission.READ_WORKSPACES),
]
