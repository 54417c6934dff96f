"""`quarterdeck up`: it comes up, keeps its data, says what is wrong, and leaves nothing behind."""

import socket
from pathlib import Path

import httpx2
import pytest

from tests.support.quarterdeck import Quarterdeck, eventually, quarterdeck

pytestmark = pytest.mark.slow


def processes_over(folder: Path) -> list[str]:
    """Command lines of the processes that have to do with the folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in text:
            found.append(text)
    return found


def test_it_tells_where_it_is_and_how_to_sign_in(folder: Path) -> None:
    with quarterdeck(folder) as program:
        eventually(lambda: "keys" in program.errors, 5)
        told = program.errors
        assert program.url in told
        assert f"{program.url}/sign-in?link=" in told
        assert "Save these keys" in told
        assert str(folder / "data") in told


def test_its_data_is_there_again_after_the_next_start(folder: Path) -> None:
    with quarterdeck(folder) as program:
        token = program.token("--global")
        program.client(token).ok("POST", "workspaces", {"name": "Kept", "slug": "kept"})
        assert program.stop() == 0
        eventually(lambda: not processes_over(folder), 5, lambda: processes_over(folder))
        program.start()
        api = program.client(token)
        eventually(lambda: [w["slug"] for w in api.ok("GET", "workspaces")] == ["kept"], 30)


def test_nothing_is_left_running_when_it_is_killed(folder: Path) -> None:
    with quarterdeck(folder) as program:
        program.kill()
        eventually(lambda: not processes_over(folder), 10, lambda: processes_over(folder))


def ends_with(program: Quarterdeck, sentence: str) -> None:
    ended = program.run("up", "--port", str(program.port))
    assert ended.returncode not in (0, None)
    assert sentence in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr


def test_a_taken_port_is_one_sentence(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    program = Quarterdeck(folder)
    with socket.create_server(("127.0.0.1", program.port)):
        ends_with(program, f"Port {program.port}")


def test_a_wrong_key_file_is_one_sentence(folder: Path) -> None:
    with quarterdeck(folder) as program:
        program.stop()
        keys = folder / "data" / "keys"
        other = program.run("keys", "generate").stdout
        keys.write_text(other)
        ends_with(program, "Master key 1")


def test_a_data_folder_that_cannot_be_one_is_one_sentence(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "data").touch()
    ends_with(Quarterdeck(folder), f"{folder}/data/keys: ")


def test_who_only_looks_does_not_make_what_is_looked_for(folder: Path) -> None:
    folder.mkdir(parents=True)
    for words in (["verify"], ["replay", "c1"], ["rebuild"], ["keys", "show"]):
        ended = Quarterdeck(folder).run(*words)
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"quarterdeck: There is no data in {folder}/data.")
    assert not (folder / "data").exists()


def test_a_data_folder_that_another_one_serves_is_one_sentence(folder: Path) -> None:
    with quarterdeck(folder) as program:
        ends_with(Quarterdeck(folder), "Another Quarterdeck runs over")
        assert program.is_ready()


def test_the_examples_host_waits_for_its_port_and_nothing_else_does(folder: Path) -> None:
    with quarterdeck(folder) as program:
        program.run("example")
        program.stop()
        port = int((folder / "data" / "example" / "port").read_text())
        with socket.create_server(("127.0.0.1", port)):
            program.start()
            eventually(lambda: "The example's host waits: " in program.errors)
        eventually(lambda: _speaks_ssh(port))


def _speaks_ssh(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def test_what_is_no_connection_string_is_one_sentence_that_does_not_show_it(folder: Path) -> None:
    folder.mkdir(parents=True)
    program = Quarterdeck(folder, database_url="swordfish", keys="1:" + "A" * 43 + "=")
    ends_with(program, "QUARTERDECK_DATABASE_URL is no connection string")
    assert "swordfish" not in program.run("up").stderr


def test_an_unreachable_database_is_one_sentence(folder: Path) -> None:
    folder.mkdir(parents=True)
    program = Quarterdeck(
        folder, database_url="postgresql://nobody@127.0.0.1:1/none", keys="1:" + "A" * 43 + "="
    )
    ends_with(program, "The database cannot be reached")


def test_an_unknown_setting_is_named(folder: Path) -> None:
    folder.mkdir(parents=True)
    ends_with(Quarterdeck(folder, databse_url="x"), "QUARTERDECK_DATABASE_URL")


def test_the_page_is_served(folder: Path) -> None:
    with quarterdeck(folder) as program:
        page = httpx2.get(program.url, follow_redirects=True)
        assert page.status_code == 200
        assert "<html" in page.text
