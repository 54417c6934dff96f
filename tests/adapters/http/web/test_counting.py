"""What is done on pages is counted as what is done through the API."""

from pathlib import Path

from adapters.observability.metrics import PrometheusMeasures
from tests.adapters.http.web.house import open_house
from tests.adapters.http.web.visitor import visitor

COUNT = 'quarterdeck_command_seconds_count{{command="{}",outcome="{}"}} 1.0'


async def test_commands_from_pages_are_counted_with_what_came_of_them(
    database: str, tmp_path: Path
) -> None:
    async with (
        open_house(database, tmp_path, measures=PrometheusMeasures()) as house,
        visitor(house) as mira,
    ):
        form = await mira.get("/workspaces/new")
        await mira.send(form, "/workspaces", name="Once")
        await mira.send(form, "/workspaces", name="Once")
        await mira.send(await mira.get("/workspaces/new"), "/workspaces", name="Two", slug="once")
        await mira.post("/sign-out", {})
        numbers = (await mira.client.get("/metrics")).text
    assert COUNT.format("UseSignInLink", "done") in numbers
    assert COUNT.format("CreateWorkspace", "done") in numbers
    assert COUNT.format("CreateWorkspace", "repeated") in numbers
    assert COUNT.format("CreateWorkspace", "taken") in numbers
    assert COUNT.format("SignOut", "done") in numbers
