"""What is deleted is named or counted first, and a deletion waits for what runs."""

from tests.adapters.http.web.fleet import EXAMPLE, clusters_of, fill, home_of
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor


async def test_a_cluster_is_deleted_by_its_written_name(house: House, mira: Visitor) -> None:
    await fill(house)
    home = await home_of(house, "train-kiruna-1")
    form = await mira.get(f"{home}/delete")
    wrong = await mira.send(form, f"{home}/delete", confirm="train")
    assert wrong.status == 422
    assert "That is not its name." in wrong.words
    page = await mira.send(form, f"{home}/delete", confirm="train-kiruna-1")
    assert "train-kiruna-1 is in the archive." in page.words
    assert "train-kiruna-1" in (await mira.get(f"{EXAMPLE}/archive")).words


async def test_a_deletion_waits_for_the_task_that_runs(house: House, mira: Visitor) -> None:
    await fill(house)
    home = await home_of(house, "lake-hel-2")
    form = await mira.get(f"{home}/delete")
    assert "The deletion begins when it is over." in form.words
    page = await mira.send(form, f"{home}/delete", confirm="lake-hel-2")
    assert "lake-hel-2 is deleted once what runs is over." in page.words
    page = await mira.get(home)
    assert "Deletion waits." in page.words
    assert "It begins when what runs is over: install." in page.words
    history = await mira.get(f"{home}/history")
    assert "asked to delete it once the task is over" in history.words


async def test_many_clusters_are_deleted_by_their_written_number(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    names = await clusters_of(house)
    ids = [names["train-kiruna-1"], names["first-cluster"]]
    answer = await mira.post(f"{EXAMPLE}/clusters/selected", {"id": ids, "do": "delete"})
    page = Page(answer)
    assert "Delete 2 clusters" in page.words
    wrong = await mira.send(page, f"{EXAMPLE}/clusters/delete", confirm="3")
    assert "That is not their number." in wrong.words
    done = await mira.send(page, f"{EXAMPLE}/clusters/delete", confirm="2")
    assert "2 clusters will be deleted." in done.words
