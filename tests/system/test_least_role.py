"""What runs is signed in to PostgreSQL as a role that can take nothing back."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from adapters.bootstrap import database_folder
from adapters.embedded.postgres import running_dsn
from adapters.postgres.roles import PROCESS, as_process
from tests.support.quarterdeck import Quarterdeck, eventually, quarterdeck

pytestmark = pytest.mark.slow
APART = ("api", "projector", "manager")
KEYS = "1:" + "A" * 43 + "="
SIGNED_IN = """
    select distinct usename from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like %s
"""
TAKEN_BACK: list[LiteralString] = [
    "update log.stored_events set state = ''",
    "delete from log.stored_events",
    "truncate log.stored_events",
]


def signed_in(owner: psycopg.Connection[Any]) -> set[str]:
    """The roles of all connections of running processes."""
    return {role for (role,) in owner.execute(SIGNED_IN, ["quarterdeck %"])}


def must_not_take_back(dsn: str, owner: str) -> None:
    """What these connections may not, whatever they say first."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for become in ("reset role", "reset session authorization"):
            connection.execute(become)
        for become in (f"set role {owner}", f"set session authorization {owner}"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(become.encode())
        for sql in TAKEN_BACK:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(sql)


def must_work(program: Quarterdeck) -> None:
    """A command through HTTP, and read models that are rebuilt beside and show it."""
    api = program.client(program.token("--global"))
    api.ok("POST", "workspaces", {"name": "Least", "slug": "least"})
    rebuilt = program.run("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    eventually(lambda: [w["slug"] for w in api.ok("GET", "workspaces")] == ["least"], 30)


def test_processes_apart_work_as_the_least_role(folder: Path, database: str) -> None:
    owner, process = conninfo_to_dict(database)["user"], as_process(database)
    programs = {w: Quarterdeck(folder / w, database_url=process, keys=KEYS) for w in APART}
    for program in programs.values():
        program.folder.mkdir(parents=True)
    programs["api"].settings["database_url"] = database
    assert programs["api"].run("migrate").returncode == 0
    programs["api"].settings["database_url"] = process
    with psycopg.connect(database, autocommit=True) as looking, ExitStack() as stack:
        for word, program in programs.items():
            stack.callback(program.close)
            program.start(word, await_ready=word == "api")
        must_work(programs["api"])
        assert signed_in(looking) == {PROCESS}
        must_not_take_back(process, owner)
        assert "could rewrite the log" not in programs["api"].errors


def test_a_process_before_the_migration_says_what_to_do(folder: Path, database: str) -> None:
    folder.mkdir(parents=True)
    Quarterdeck(folder, database_url=database).run("migrate")
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("delete from public.quarterdeck_schema where number = 6")
    ended = Quarterdeck(folder, database_url=as_process(database), keys=KEYS).run("projector")
    assert ended.returncode == 1
    assert "quarterdeck migrate" in ended.stderr.splitlines()[-1]


def test_a_process_that_signs_in_as_the_owner_says_so(folder: Path, database: str) -> None:
    with quarterdeck(folder, database_url=database, keys=KEYS) as program:
        assert "could rewrite the log" in program.errors


def test_up_uses_the_owner_of_the_embedded_database_only_to_migrate(folder: Path) -> None:
    with quarterdeck(folder) as program:
        dsn = running_dsn(database_folder(folder / "data"))
        assert dsn is not None
        with psycopg.connect(dsn, autocommit=True) as looking:
            must_work(program)
            assert signed_in(looking) == {PROCESS}
        must_not_take_back(as_process(dsn), conninfo_to_dict(dsn)["user"])
