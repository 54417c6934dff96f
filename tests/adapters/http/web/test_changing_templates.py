"""Templates are written, tried and published by forms, and withdrawn by a press."""

from domain.cluster_templates import ClusterTemplate
from tests.adapters.http.web.fleet import EXAMPLE, fill, template_of
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor


async def test_a_template_is_written_tried_and_published(house: House, mira: Visitor) -> None:
    await house.example()
    form = await mira.get(f"{EXAMPLE}/templates/new")
    base = f"{EXAMPLE}/templates"
    broken = dict(form.form(base).fields) | {
        "name": "edge",
        "params": "- key: host\n  title: Host\n  type: text\n",
        "section.0.source": "a: 1\nb: {{ .host }\n",
    }
    tried = Page(await mira.post(f"{base}/try", broken))
    assert 'data-line="1"' in tried.html
    assert "In host, type: must be one of" in tried.words
    assert Page(await mira.post(base, broken)).status == 422
    broken["params"] = broken["params"].replace("text", "string")
    tried = Page(await mira.post(f"{base}/try", broken))
    assert "line 2" in tried.words
    good = broken | {"section.0.source": "a: 1\nb: {{ .host | quote }}\n"}
    tried = Page(await mira.post(f"{base}/try", good))
    assert "Renders and is valid" in tried.words
    assert "assuming Host is host" in tried.words
    made = Page(await mira.client.post(base, data=good, follow_redirects=True))
    assert "edge is published." in made.words
    again = await mira.send(
        made, made.response.url.path, **{"section.0.source": "a: 2\n"}, version_comment="Two"
    )
    assert "Version 2 is published." in again.words
    compared = await mira.get(f"{made.response.url.path}/compare")
    assert "a: 1" in compared.words
    assert "version 1 against version 2" in compared.words


async def test_a_version_is_withdrawn_and_offered_again(house: House, mira: Visitor) -> None:
    await fill(house)
    template_id, version_id = await template_of(house)
    base = f"{EXAMPLE}/templates/{template_id}"
    page = await mira.get(f"{base}?version={version_id}")
    page = await mira.send(page, f"{base}/withdraw", press="1")
    assert "Version 1 is withdrawn." in page.words
    new = await mira.get(f"{EXAMPLE}/clusters/new")
    assert str(version_id) not in new.html
    page = await mira.send(page, f"{base}/withdraw", press="0")
    assert "Version 1 is offered again." in page.words


async def test_two_authors_do_not_publish_over_each_other(house: House, mira: Visitor) -> None:
    await fill(house)
    template_id, _ = await template_of(house)
    base = f"{EXAMPLE}/templates/{template_id}"
    page = await mira.get(base)
    await mira.send(page, base, **{"section.0.source": "theirs: 1\n"})
    late = await mira.send(page, base, **{"section.0.source": "mine: 1\n", "key": "another"})
    assert late.status == 409
    assert "published while you wrote" in late.words
    assert dict(late.form(base).fields)["section.0.source"] == "mine: 1\n"
    _, template = await house.hub.cache.load(ClusterTemplate, template_id)
    assert isinstance(template, ClusterTemplate)
    assert len(template.versions) == 3
