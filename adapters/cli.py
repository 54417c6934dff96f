"""The program `quarterdeck`: the word after it chooses a process or an operation."""

import os
import sys
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from adapters.settings import BadSettings, Settings

app = typer.Typer(
    name="quarterdeck",
    help="A control plane for fleets of Kubernetes clusters whose memory is an event log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
token_app = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
keys_app = typer.Typer(help="The master keys that wrap every data key.", no_args_is_help=True)
app.add_typer(token_app, name="token")
app.add_typer(keys_app, name="keys")

T = TypeVar("T")
Data = Annotated[Path | None, typer.Option(help="Folder of the embedded database and the keys.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]


def main() -> None:
    """Run the program; what is wrong outside ends it with one sentence and exit code 1."""
    app()


def read_settings(**given: Any) -> Settings:
    try:
        return Settings.from_environment(os.environ, **given)
    except BadSettings as error:
        fail(error)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what is wrong outside is a sentence, a defect is a traceback."""
    from adapters import running
    from adapters.faults import OUTSIDE, sentence_of

    try:
        return running.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except OUTSIDE as error:
        fail(sentence_of(error))
    except BaseExceptionGroup as group:
        outside, inside = group.split(OUTSIDE)
        if outside is None or inside is not None:
            raise
        fail(sentence_of(outside))


def tell(lines: AsyncIterator[str]) -> None:
    """Print each line as it comes."""

    async def work() -> None:
        async for line in lines:
            print(line, flush=True)

    run(work())


def fail(reason: object) -> NoReturn:
    print(f"quarterdeck: {reason}", file=sys.stderr)
    raise typer.Exit(1)


@app.command()
def up(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Everything in one process, on an embedded PostgreSQL unless a database is set."""
    from adapters.processes.up import serve

    run(serve(read_settings(data=data, host=host, port=port)))


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """The web UI and the API."""
    from adapters.processes.api import serve

    run(serve(read_settings(host=host, port=port)))


@app.command()
def manager() -> None:
    """The cluster manager: claims tasks and carries them out."""
    from adapters.processes.manager import serve

    run(serve(read_settings()))


@app.command()
def projector() -> None:
    """Keeps the read models, prints audit lines, ships them to Loki."""
    from adapters.processes.projector import serve

    run(serve(read_settings()))


@app.command()
def relay() -> None:
    """Publishes the log to Kafka."""
    from adapters.processes.relay import serve

    run(serve(read_settings()))


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database's schema to this version; sign in as its owner for it."""
    from adapters.bootstrap import migrate_database

    tell(migrate_database(read_settings(data=data)))


@app.command("sign-in")
def sign_in(
    name: Annotated[str | None, typer.Option(help="Who signs in.")] = None,
    data: Data = None,
    port: Port = None,
) -> None:
    """Print a link that signs an administrator in once."""
    from adapters.operations.tokens import sign_in_link

    settings = read_settings(data=data, port=port)
    print(run(sign_in_link(settings, name or settings.administrator)))


@app.command()
def example(
    unload: Annotated[
        bool, typer.Option("--unload", help="Forget its clusters, and end its host.")
    ] = False,
    data: Data = None,
    port: Port = None,
) -> None:
    """Load the example: a workspace, a template and a cluster on a throw-away SSH host."""
    from adapters.operations import example as operation

    settings = read_settings(data=data, port=port)
    if unload:
        print(run(operation.unload(settings)))
        return
    print(run(operation.load(settings)))
    print("`quarterdeck up` serves the host it installs on.", file=sys.stderr)


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="The token's name, as the audit shows it.")],
    workspace: Annotated[str | None, typer.Option(help="Slug of its workspace.")] = None,
    global_: Annotated[bool, typer.Option("--global", help="For all workspaces.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="May only read.")] = False,
    data: Data = None,
) -> None:
    """Make a token and print it alone; it is never shown again."""
    from adapters.operations.tokens import create_token

    if global_ == (workspace is not None):
        fail("Say either --global or --workspace SLUG.")
    settings = read_settings(data=data)
    print(run(create_token(settings, name, workspace, read_only=read_only)))


@keys_app.command("generate")
def keys_generate() -> None:
    """Print a fresh master key, to be kept where QUARTERDECK_KEYS_FILE points."""
    from adapters.crypto.key_ring import KeyRing

    print(KeyRing.generate().write(), end="")


@keys_app.command("show")
def keys_show(
    reveal: Annotated[bool, typer.Option("--reveal", help="Print the keys themselves.")] = False,
    data: Data = None,
) -> None:
    """Show the master keys by number and fingerprint, and how much each one wraps."""
    from adapters.bootstrap import read_keys
    from adapters.operations.keys import show_keys

    settings = read_settings(data=data)
    if reveal:
        print(read_keys(settings).write(), end="")
        return
    for key in run(show_keys(settings)):
        print(f"{key.version}\t{key.fingerprint}\twraps {key.wraps} data keys")


@keys_app.command("add")
def keys_add(data: Data = None) -> None:
    """Add a new master key to the key file."""
    from adapters.faults import OUTSIDE
    from adapters.operations.keys import add_key

    try:
        path = add_key(read_settings(data=data))
    except OUTSIDE as error:
        fail(error)
    print(
        f"A new master key is in {path}. Save the file, give it to processes that have their keys"
        " from elsewhere and start those again; then: quarterdeck keys rotate"
    )


@keys_app.command("rotate")
def keys_rotate(data: Data = None) -> None:
    """Wrap every data key with the newest master key; the log stays as it is."""
    from adapters.operations.keys import rotate_keys

    count = run(rotate_keys(read_settings(data=data)))
    print(f"{count} data keys were wrapped anew.")


@keys_app.command("erase")
def keys_erase(
    subject: Annotated[str, typer.Argument(help="A cluster's name, or the id of a subject.")],
    reason: Annotated[str, typer.Option(help="Why, as the audit tells it for ever.")],
    by: Annotated[str, typer.Option(help="Who wants it, as the audit tells it for ever.")],
    data: Data = None,
) -> None:
    """Destroy the key of a subject: its secrets can never be read again, by anybody."""
    from adapters.operations.erasing import erase_key

    subject_id = run(erase_key(read_settings(data=data), subject, reason, by))
    print(f"The key of {subject_id} is gone, and with it all that was sealed for it until now.")


@app.command("accept-loss")
def accept_loss(
    reason: Annotated[str, typer.Option(help="Why, as the audit tells it for ever.")],
    by: Annotated[str, typer.Option(help="Who wants it, as the audit tells it for ever.")],
    data: Data = None,
) -> None:
    """Go on without events that were lost in a failover or a restore; /system names them."""
    from adapters.operations.accepting_loss import accept_loss as accept

    print("\n".join(run(accept(read_settings(data=data), reason, by))))


@app.command()
def replay(
    what: Annotated[str, typer.Argument(help="A stream's id or a cluster's name.")],
    at: Annotated[str | None, typer.Option(help="Stop at this instant (RFC 3339).")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what each event changed.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    data: Data = None,
) -> None:
    """Tell a stream's history: who, when, from where, why, and what each event changed."""
    from adapters.operations.replaying import print_replay

    run(print_replay(read_settings(data=data), what, _instant(at), diff=diff, as_json=json))


@app.command()
def rebuild(
    name: Annotated[str | None, typer.Argument(help="The projection; all without it.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare.")] = False,
    data: Data = None,
) -> None:
    """Build read models anew from the log, or build beside and compare hashes."""
    from adapters.operations.rebuild import rebuild as build

    tell(build(read_settings(data=data), name, check=check))


@app.command()
def verify(
    checkpoint: Annotated[
        Path | None, typer.Option(help="Prove growth since this file, or write it when new.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write the file anew after.")] = False,
    data: Data = None,
) -> None:
    """Read the whole log again; name the first position that is not what was written."""
    from adapters.operations.verify import verify as prove

    verdict = run(prove(read_settings(data=data), checkpoint, update=update))
    beside = verdict.beside
    print(f"{verdict.verified.size} events, root {verdict.verified.root.hex()}: unbroken.")
    print(
        f"{beside.claims} claims, {beside.commands} commands and {beside.snapshots} snapshots"
        " are what the log says."
    )
    if verdict.since is not None:
        print(f"Since the checkpoint at {verdict.since} events, history was only appended to.")
    if verdict.written is not None:
        print(f"Signed checkpoint written to {verdict.written}; verifier key {verdict.key}")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--at {text} is no instant such as 2026-11-21T14:32:00+01:00.")
    return instant if instant.tzinfo else instant.astimezone()
