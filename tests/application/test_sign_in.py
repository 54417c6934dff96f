"""A person comes in by a link that works once, and has a session until it ends."""

from datetime import timedelta
from uuid import uuid4

import pytest

from application.auth_tokens import CreateAuthToken
from application.credentials import Credential
from application.permissions import QUARTERDECK, Principal, Role
from application.sign_in import (
    LINK_LASTS,
    LINK_PREFIX,
    SESSION_LASTS,
    SESSION_PREFIX,
    IssueSignInLink,
    NewSession,
    SignOut,
    UseSignInLink,
    principal_of_session,
    user_id_of,
)
from domain.model import NotFound
from domain.users import LinkIsSpent, SessionEnded, UserRegistered
from tests.application.in_memory import Hub


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def link_for(hub: Hub, name: str) -> str:
    link = await hub.do(IssueSignInLink(user_name=name), QUARTERDECK)
    assert isinstance(link, str)
    return link


async def signed_in(hub: Hub, link: str) -> NewSession:
    session = await hub.do(UseSignInLink(link=link), QUARTERDECK)
    assert isinstance(session, NewSession)
    return session


async def who(hub: Hub, session: NewSession) -> Principal | None:
    assert session.cookie is not None
    return await principal_of_session(session.cookie, hub.cache, hub.clock.now())


async def test_a_link_signs_its_user_in(hub: Hub) -> None:
    session = await signed_in(hub, await link_for(hub, "Ada"))
    principal = await who(hub, session)
    assert principal is not None
    assert (principal.role, principal.workspace_id) == (Role.ADMINISTRATOR, None)
    assert (principal.actor.type, principal.actor.name) == ("User", "Ada")
    assert principal.actor.id == user_id_of("Ada")


async def test_a_link_is_not_remembered(hub: Hub) -> None:
    command = IssueSignInLink(user_name="Ada")
    link = await hub.do(command, QUARTERDECK, command_id="c1")
    outcome = await hub.store.outcome("c1")
    assert outcome is not None
    assert link.encode() not in outcome.result
    assert await hub.do(command, QUARTERDECK, command_id="c1") == ""


async def test_a_link_works_once(hub: Hub) -> None:
    link = await link_for(hub, "Ada")
    await signed_in(hub, link)
    with pytest.raises(LinkIsSpent):
        await signed_in(hub, link)


async def test_a_link_runs_out(hub: Hub) -> None:
    link = await link_for(hub, "Ada")
    hub.clock.move(LINK_LASTS)
    with pytest.raises(LinkIsSpent):
        await signed_in(hub, link)


async def test_a_forged_link_signs_nobody_in(hub: Hub) -> None:
    read = Credential.read(LINK_PREFIX, await link_for(hub, "Ada"))
    assert read is not None
    with pytest.raises(LinkIsSpent):
        await signed_in(hub, Credential.make(read.id).write(LINK_PREFIX))
    for nothing in ("", "qdl_x", Credential.make(read.id).write("qdt")):
        with pytest.raises(LinkIsSpent):
            await signed_in(hub, nothing)
    for other in (uuid4(), await hub.workspace()):
        with pytest.raises(NotFound):
            await signed_in(hub, Credential.make(other).write(LINK_PREFIX))


async def test_a_user_is_registered_once_whatever_the_case_of_the_name(hub: Hub) -> None:
    await link_for(hub, "Ada")
    await link_for(hub, "ADA")
    await link_for(hub, "Grace")
    registered = [e.name for e in hub.events() if isinstance(e, UserRegistered)]
    assert registered == ["Ada", "Grace"]


async def test_a_session_runs_out(hub: Hub) -> None:
    session = await signed_in(hub, await link_for(hub, "Ada"))
    hub.clock.move(SESSION_LASTS - timedelta(seconds=1))
    assert await who(hub, session) is not None
    hub.clock.move(timedelta(seconds=1))
    assert await who(hub, session) is None


async def test_who_signs_out_is_out_at_once(hub: Hub) -> None:
    session = await signed_in(hub, await link_for(hub, "Ada"))
    await hub.do(SignOut(session_id=session.id))
    assert await who(hub, session) is None
    await hub.do(SignOut(session_id=session.id))
    assert [type(e) for e in hub.events()].count(SessionEnded) == 1


async def test_a_forged_cookie_is_nobody(hub: Hub) -> None:
    session = await signed_in(hub, await link_for(hub, "Ada"))
    token = await hub.do(CreateAuthToken(name="terraform"))
    for forged in (
        Credential.make(session.id).write(SESSION_PREFIX),
        Credential.make(token.id).write(SESSION_PREFIX),
        Credential.make(uuid4()).write(SESSION_PREFIX),
        token.token,
        "",
        "qds_" + "=" * 64,
    ):
        assert await principal_of_session(forged, hub.cache, hub.clock.now()) is None


async def test_no_word_that_lets_in_is_in_the_log(hub: Hub) -> None:
    link = await link_for(hub, "Ada")
    session = await signed_in(hub, link)
    assert session.cookie is not None
    told = "".join(event.model_dump_json() for event in hub.events())
    for text, prefix in ((link, LINK_PREFIX), (session.cookie, SESSION_PREFIX)):
        read = Credential.read(prefix, text)
        assert read is not None
        assert text not in told
        assert read.word.hex() not in told
        assert read.word_hash in told
