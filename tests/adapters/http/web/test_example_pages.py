"""The pages say what the example's host is, or why there is none, and unload it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.http.web import words
from application.work import Context
from tests.adapters.http.web.fleet import EXAMPLE, home_of
from tests.adapters.http.web.house import House, open_house
from tests.adapters.http.web.visitor import Visitor, visitor


class ExampleAsAsked:
    """An example that keeps what it was asked for."""

    def __init__(self, obstacle: str | None) -> None:
        self.obstacle = obstacle
        self.asked: list[str] = []

    async def load(self, context: Context) -> str:
        self.asked.append("load")
        return "/"

    async def unload(self, context: Context) -> str:
        self.asked.append("unload")
        return "/"


@pytest.fixture
def example() -> ExampleAsAsked:
    return ExampleAsAsked(None)


@asynccontextmanager
async def visiting(
    database: str, folder: Path, example: ExampleAsAsked
) -> AsyncIterator[tuple[House, Visitor]]:
    async with open_house(database, folder, example=example) as house, visitor(house) as mira:
        yield house, mira


async def test_before_loading_the_example_its_host_is_told(
    database: str, tmp_path: Path, example: ExampleAsAsked
) -> None:
    async with visiting(database, tmp_path, example) as (_, mira):
        page = await mira.get("/")
        assert words.THROWAWAY_HOST in page.words
        await mira.send(page, "/example")
    assert example.asked == ["load"]


async def test_where_no_host_is_served_the_page_says_why_and_offers_no_example(
    database: str, tmp_path: Path
) -> None:
    example = ExampleAsAsked("this machine gives root no namespaces")
    async with visiting(database, tmp_path, example) as (_, mira):
        page = await mira.get("/")
        assert f"The example is not served here: {example.obstacle}." in page.words
        assert "Load the example" not in page.words


async def test_the_examples_pages_tell_its_host_and_unload_it(
    database: str, tmp_path: Path, example: ExampleAsAsked
) -> None:
    async with visiting(database, tmp_path, example) as (house, mira):
        await house.example()
        cluster = await home_of(house, "first-cluster")
        assert words.THROWAWAY_HOST in (await mira.get(cluster)).words
        page = await mira.get(f"{EXAMPLE}/settings")
        assert words.THROWAWAY_HOST in page.words
        await mira.send(page, "/example/unload")
    assert example.asked == ["unload"]
