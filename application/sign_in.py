"""How a person comes in: a link that works once, then a session kept in a cookie."""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from application.commands import Command, Handlers, ShownOnce, ShownWord
from application.credentials import Credential, held_by
from application.permissions import Permission, Principal, Role
from application.state_cache import StateCache
from application.work import Work
from domain.model import Actor
from domain.users import LinkIsSpent, Session, SignInLink, User
from domain.values import Name

handlers = Handlers()
LINK_PREFIX = "qdl"
SESSION_PREFIX = "qds"
LINK_LASTS = timedelta(hours=24)
SESSION_LASTS = timedelta(days=7)
USERS = UUID("2f0c6d0e-2f57-4d0e-8a9f-6f0f6b1f3c55")


class IssueSignInLink(Command, permission=Permission.RUN_TASKS):
    """Make a one-time link for a user, who is registered as administrator on first use."""

    user_name: Name


class UseSignInLink(Command, permission=Permission.OWN_SESSION):
    link: str


class SignOut(Command, permission=Permission.OWN_SESSION):
    session_id: UUID


class NewSession(ShownOnce):
    """A session's cookie, seen once."""

    id: UUID
    cookie: str | None
    expires_at: datetime

    def without_word(self) -> "NewSession":
        return self.model_copy(update={"cookie": None})


@handlers.register
async def issue_sign_in_link(command: IssueSignInLink, work: Work) -> str:
    user_id = user_id_of(command.user_name)
    await _register_once(work, user_id, command.user_name)
    credential = Credential.make(work.new_id())
    await work.create(
        SignInLink,
        credential.id,
        SignInLink.issue(user_id, credential.word_hash, work.now + LINK_LASTS),
    )
    return ShownWord(credential.write(LINK_PREFIX))


@handlers.register
async def use_sign_in_link(command: UseSignInLink, work: Work) -> NewSession:
    link = Credential.read(LINK_PREFIX, command.link)
    if link is None:
        raise LinkIsSpent("This is no sign-in link. Ask for one: quarterdeck sign-in.")
    session = Credential.make(work.new_id())
    used = await work.change(
        SignInLink, link.id, lambda it: it.use(link.word_hash, session.id, work.now)
    )
    user = await work.get(User, used.user_id)
    expires_at = work.now + SESSION_LASTS
    await work.create(
        Session, session.id, Session.start(used.user_id, user, session.word_hash, expires_at)
    )
    return NewSession(id=session.id, cookie=session.write(SESSION_PREFIX), expires_at=expires_at)


@handlers.register
async def sign_out(command: SignOut, work: Work) -> UUID:
    await work.change(Session, command.session_id, lambda session: session.end(work.now))
    return command.session_id


async def principal_of_session(text: str, cache: StateCache, now: datetime) -> Principal | None:
    """Who comes with this cookie; None for a session that is wrong, ended or run out."""
    found = await held_by(SESSION_PREFIX, text, Session, cache, now)
    if found is None:
        return None
    _, session = found
    actor = Actor(type="User", id=session.user_id, name=session.user_name)
    return Principal(actor, Role.ADMINISTRATOR)


def user_id_of(name: str) -> UUID:
    """A user's id is made from the name they sign in with."""
    return uuid5(USERS, name.casefold())


async def _register_once(work: Work, user_id: UUID, name: str) -> None:
    if not await work.exists(User, user_id):
        await work.create(User, user_id, User.register(name, is_administrator=True))
