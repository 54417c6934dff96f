"""A token is shown once, lets its bearer in as far as it reaches, and is revoked."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from application.auth_tokens import (
    PREFIX,
    CreateAuthToken,
    NewAuthToken,
    RevokeAuthToken,
    principal_of_token,
)
from application.credentials import Credential
from application.permissions import Principal, Role
from domain.auth_tokens import AuthTokenCreated, AuthTokenRevoked
from domain.model import Actor, NotFound
from tests.application.in_memory import Hub


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def made(hub: Hub, workspace_id: UUID | None = None, **fields: object) -> NewAuthToken:
    command = CreateAuthToken.model_validate(
        {"name": "terraform", "workspace_id": workspace_id, **fields}
    )
    token = await hub.do(command)
    assert isinstance(token, NewAuthToken)
    return token


async def who(hub: Hub, token: NewAuthToken) -> Principal | None:
    assert token.token is not None
    return await principal_of_token(token.token, hub.cache, hub.clock.now())


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("is_global", [False, True])
async def test_a_token_lets_in_as_far_as_it_reaches(
    hub: Hub, is_global: bool, read_only: bool
) -> None:
    workspace_id = None if is_global else await hub.workspace()
    token = await made(hub, workspace_id, read_only=read_only)
    roles = {
        (True, False): Role.GLOBAL_TOKEN,
        (True, True): Role.GLOBAL_READER,
        (False, False): Role.WORKSPACE_TOKEN,
        (False, True): Role.WORKSPACE_READER,
    }
    assert await who(hub, token) == Principal(
        Actor(type="AuthToken", id=token.id, name="terraform"),
        roles[is_global, read_only],
        workspace_id,
    )


async def test_only_the_hash_of_the_word_is_in_the_log(hub: Hub) -> None:
    token = await made(hub)
    assert token.token is not None
    read = Credential.read(PREFIX, token.token)
    assert read is not None
    (event,) = hub.events()
    assert isinstance(event, AuthTokenCreated)
    assert (event.word_hash, event.hint) == (read.word_hash, token.token[:8])
    assert token.token[8:] not in event.model_dump_json()


async def test_a_revoked_token_lets_nobody_in(hub: Hub) -> None:
    token = await made(hub)
    assert await who(hub, token) is not None
    await hub.do(RevokeAuthToken(auth_token_id=token.id))
    assert await who(hub, token) is None
    await hub.do(RevokeAuthToken(auth_token_id=token.id))
    assert [type(e) for e in hub.events()] == [AuthTokenCreated, AuthTokenRevoked]


async def test_a_token_revoked_elsewhere_is_good_until_that_is_heard_of(hub: Hub) -> None:
    token = await made(hub)
    elsewhere = Hub(hub.store)
    assert await who(elsewhere, token) is not None
    await hub.do(RevokeAuthToken(auth_token_id=token.id))
    elsewhere.cache.seen(token.id, 2)
    assert await who(elsewhere, token) is None


async def test_a_token_runs_out(hub: Hub) -> None:
    token = await made(hub, expires_at=hub.clock.now() + timedelta(hours=1))
    assert await who(hub, token) is not None
    hub.clock.move(timedelta(hours=1))
    assert await who(hub, token) is None


async def test_a_token_that_runs_out_says_in_which_zone() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        CreateAuthToken(name="terraform", expires_at=datetime(2030, 1, 1))


async def test_a_wrong_word_lets_nobody_in(hub: Hub) -> None:
    token = await made(hub)
    forged = Credential.make(token.id).write(PREFIX)
    assert await principal_of_token(forged, hub.cache, hub.clock.now()) is None


@pytest.mark.parametrize("warm", [True, False])
async def test_the_id_of_something_else_lets_nobody_in(hub: Hub, warm: bool) -> None:
    workspace_id = await hub.workspace()
    if not warm:
        hub.cache.drop(workspace_id)
    for stream_id in (workspace_id, uuid4()):
        forged = Credential.make(stream_id).write(PREFIX)
        assert await principal_of_token(forged, hub.cache, hub.clock.now()) is None


@pytest.mark.parametrize("text", ["", "qdt_", "qdt_" + "!" * 64, "Bearer x"])
async def test_what_is_no_token_lets_nobody_in(hub: Hub, text: str) -> None:
    assert await principal_of_token(text, hub.cache, hub.clock.now()) is None


async def test_a_token_is_made_for_a_workspace_that_is_there(hub: Hub) -> None:
    with pytest.raises(NotFound):
        await made(hub, uuid4())
    with pytest.raises(NotFound):
        await hub.do(RevokeAuthToken(auth_token_id=uuid4()))


async def test_the_envelope_tells_the_workspace_of_a_token(hub: Hub) -> None:
    workspace_id = await hub.workspace("team-a")
    token = await made(hub, workspace_id)
    await hub.do(RevokeAuthToken(auth_token_id=token.id))
    assert [r.metadata.workspace for r in hub.store.records] == ["team-a"] * 3
