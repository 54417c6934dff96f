"""The embedded PostgreSQL keeps its rows whatever is killed, and refuses in one sentence."""

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.embedded.account import Account, reachable_folder
from adapters.embedded.binaries import WHEEL, binaries_for, find_binaries
from adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, running_dsn
from adapters.embedded.postmaster import Postmaster

pytestmark = pytest.mark.slow


@pytest.fixture
def data(server_folder: Path, request: pytest.FixtureRequest) -> Path:
    return server_folder / "embedded" / request.node.name


@pytest.fixture(scope="module")
def own_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    data = server_folder / "embedded" / "own"
    with EmbeddedPostgres(data, settings={"work_mem": "7MB"}, durable_creation=False) as server:
        yield server


def write(server: EmbeddedPostgres, row: int) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (row int)")
        connection.execute("INSERT INTO kept VALUES (%s)", (row,))


def rows(server: EmbeddedPostgres) -> list[int]:
    with psycopg.connect(server.dsn) as connection:
        return [row for (row,) in connection.execute("SELECT row FROM kept ORDER BY row")]


async def test_rows_are_there_again_after_a_restart(data: Path) -> None:
    async with EmbeddedPostgres(data, durable_creation=False) as server:
        write(server, 1)
    async with EmbeddedPostgres(data) as server:
        assert rows(server) == [1]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_encoding", "UTF8"),
        ("fsync", "on"),
        ("listen_addresses", ""),
        ("work_mem", "7MB"),
    ],
)
def test_it_is_the_promised_server(own_server: EmbeddedPostgres, setting: str, value: str) -> None:
    with psycopg.connect(own_server.dsn) as connection:
        assert connection.execute(f"SHOW {setting}").fetchone() == (value,)


async def test_a_killed_postmaster_is_noticed_and_the_next_start_recovers(data: Path) -> None:
    async with EmbeddedPostgres(data, durable_creation=False) as server:
        write(server, 1)
        os.kill(server.pid, signal.SIGKILL)
        assert await asyncio.wait_for(server.ended(), 10) == -signal.SIGKILL
    async with EmbeddedPostgres(data) as server:
        assert rows(server) == [1]


def test_a_zombie_postmaster_is_not_taken_for_alive(data: Path) -> None:
    server = EmbeddedPostgres(data, durable_creation=False)
    server.start()
    write(server, 1)
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert running_dsn(data) is None
    # Nobody reaps it, as when the one who started it was killed too.
    server.folder.release()
    with EmbeddedPostgres(data) as second:
        assert rows(second) == [1]
    server.stop()


LAUNCHER = """
import sys, time
from pathlib import Path
from adapters.embedded.binaries import WHEEL, binaries_for, find_binaries
from adapters.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), durable_creation=False) as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""


def test_it_ends_with_a_killed_parent_and_the_next_start_recovers(data: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(data)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    watched = os.pidfd_open(pid)
    dsn = running_dsn(data)
    assert dsn is not None
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (row int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    parent.kill()
    parent.wait()
    with EmbeddedPostgres(data) as server:
        assert rows(server) == [1]
        assert _has_ended(watched)
    os.close(watched)


def _has_ended(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_a_folder_in_use_is_refused(data: Path) -> None:
    with (
        EmbeddedPostgres(data, durable_creation=False),
        pytest.raises(EmbeddedPostgresError, match="in use by another running process"),
    ):
        EmbeddedPostgres(data).start()


def test_another_process_finds_the_running_server(data: Path) -> None:
    assert running_dsn(data) is None
    with EmbeddedPostgres(data, durable_creation=False) as server:
        assert running_dsn(data) == server.dsn == EmbeddedPostgres(data).dsn
    assert running_dsn(data) is None


def test_a_cluster_of_a_newer_release_is_refused(data: Path) -> None:
    (data / "cluster").mkdir(parents=True)
    (data / "cluster" / "PG_VERSION").write_text("19\n")
    with pytest.raises(EmbeddedPostgresError, match="written by PostgreSQL 19"):
        EmbeddedPostgres(data).start()


def test_a_folder_of_another_program_is_refused_and_left_alone(data: Path) -> None:
    data.mkdir(parents=True)
    (data / "letters.txt").write_text("dear reader")
    before = data.stat()
    with pytest.raises(EmbeddedPostgresError, match=r"letters\.txt"):
        EmbeddedPostgres(data).start()
    assert (data.stat().st_uid, data.stat().st_mode) == (before.st_uid, before.st_mode)


def test_an_interrupted_creation_is_begun_again(data: Path) -> None:
    (data / "cluster.new" / "half").mkdir(parents=True)
    with EmbeddedPostgres(data, durable_creation=False) as server:
        write(server, 1)
    assert not (data / "cluster.new").exists()


def test_a_bad_setting_is_told_in_one_sentence(data: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="requires a Boolean value") as refused:
        EmbeddedPostgres(data, settings={"fsync": "perhaps"}, durable_creation=False).start()
    assert "\n" not in str(refused.value)


def test_a_long_path_gets_its_socket_elsewhere(data: Path) -> None:
    deep = data / ("d" * 100)
    with EmbeddedPostgres(deep, durable_creation=False) as server:
        write(server, 1)
        socket_folder = server.folder.socket_folder
        assert running_dsn(deep) == server.dsn
    assert not socket_folder.exists()


def test_a_session_survives_a_terminal_interrupt(data: Path) -> None:
    with EmbeddedPostgres(data, durable_creation=False) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")


@needs_root
def test_root_is_dropped(data: Path) -> None:
    with EmbeddedPostgres(data, durable_creation=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert (data / "cluster").stat().st_uid == Path(f"/proc/{server.pid}").stat().st_uid


@needs_root
def test_a_closed_parent_is_refused_and_stays_closed(data: Path) -> None:
    closed = data / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(EmbeddedPostgresError, match=r"no other account may pass .*/closed:"):
        EmbeddedPostgres(closed / "postgres").start()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert reachable_folder(closed / "postgres").parent == Path("/var/lib/quarterdeck")
    assert reachable_folder(data / "postgres") == data / "postgres"


@needs_root
def test_programs_in_a_closed_home_are_copied_for_the_account(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = data / "home"
    wheel = home / WHEEL
    shutil.copytree(find_binaries().folder, wheel / find_binaries().folder.name, symlinks=True)
    shutil.copytree(find_binaries().folder.parent.with_name(f"{WHEEL}.libs"), f"{wheel}.libs")
    (wheel / "__init__.py").touch()
    home.chmod(0o700)
    monkeypatch.syspath_prepend(home)
    account = Account.for_cluster(data / "cluster")

    copied = binaries_for(account, cache=data / "cache")

    assert copied.folder.is_relative_to(data / "cache")
    assert home.stat().st_mode & 0o777 == 0o700
    told = subprocess.run(
        [copied.program("initdb"), "--version"], user=account.uid, capture_output=True, check=True
    )
    assert b"PostgreSQL" in told.stdout


@needs_root
def test_the_account_keeps_an_existing_owner(data: Path) -> None:
    data.mkdir(parents=True)
    os.chown(data, 12345, 12345)
    assert Account.for_cluster(data) == Account(12345, 12345)


def test_a_half_written_lock_file_is_no_postmaster(data: Path) -> None:
    data.mkdir(parents=True)
    (data / "postmaster.pid").write_text("")
    assert Postmaster.of(data) is None
