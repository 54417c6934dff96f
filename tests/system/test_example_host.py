"""What runs on the example's throw-away host reaches nothing of the machine that serves it."""

import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.ordinary import as_ordinary, give
from tests.support.quarterdeck import Client, Quarterdeck, eventually

pytestmark = pytest.mark.slow

UNDER_WAY = ("queued", "running")
SSH = """\
apiVersion: dhctl.deckhouse.io/v1
kind: SSHConfig
sshUser: quarterdeck
sshPort: {port}
---
apiVersion: dhctl.deckhouse.io/v1
kind: SSHHost
host: 127.0.0.1
"""
INSTALLATION = """\
apiVersion: quarterdeck.io/v1
kind: SSHInstallation
spec:
  phases:
    - name: try
      timeout: 30s
      script: |
        set +e
"""


@pytest.fixture(params=["root", "ordinary"])
def program(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Quarterdeck]:
    """`up` with the example, under the account of the tests and under an ordinary one."""
    folder = server_folder / f"example-{request.param}-{secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o755)
    program = Quarterdeck(folder)
    if request.param == "ordinary":
        program.prefix = as_ordinary()
        give(folder)
    try:
        program.start()
        loaded = program.run("example", "--port", str(program.port))
        assert loaded.returncode == 0, loaded.stderr
        yield program
    finally:
        program.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def api(program: Quarterdeck) -> Client:
    """A bearer of a token of the example's workspace alone."""
    return program.client(program.token("--workspace", "example"))


def log_of(api: Client, program: Quarterdeck, script: str) -> list[str]:
    """What a script says that runs on the host through a template of the bearer's own."""
    task = installed(api, program, script)
    eventually(lambda: status(api, task) not in UNDER_WAY, 60)
    return log(api, task)


def installed(api: Client, program: Quarterdeck, script: str, name: str = "mine") -> str:
    """The task that runs the script."""
    indented = "".join(f"        {line}\n" for line in script.splitlines())
    port = (program.folder / "data" / "example" / "port").read_text()
    made = api.ok(
        "POST",
        "cluster_templates",
        {
            "name": name,
            "params": [],
            "sections": [
                {"name": "SSH parameters", "source": SSH.format(port=port)},
                {"name": "Installation", "source": INSTALLATION + indented},
            ],
        },
    )
    version = made["current_cluster_template_version_id"]
    cluster = api.ok(
        "POST", "clusters", {"name": name, "cluster_template_version_id": version, "values": {}}
    )
    return str(api.ok("POST", f"clusters/{cluster['id']}/install")["id"])


def status(api: Client, task: str) -> Any:
    return api.ok("GET", f"tasks/{task}")["status"]


def log(api: Client, task: str) -> list[str]:
    return [line["text"] for line in api.ok("GET", f"tasks/{task}/log")]


def test_a_template_reaches_neither_keys_nor_database_nor_another_process(
    program: Quarterdeck, api: Client
) -> None:
    data, hub = program.folder / "data", program.process
    assert hub is not None
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        answers = log_of(
            api,
            program,
            f"""\
cat {data}/keys && echo reached the keys
ls {data} && echo reached the data folder
ls {data}/postgres/cluster && echo reached the files of the database
ls -a {data}/postgres/socket && echo reached the socket of the database
cat /proc/net/unix | grep PGSQL && echo reached the names of its sockets
bash -c 'echo > /dev/tcp/127.0.0.1/{program.port}' && echo reached the hub
bash -c 'echo > /dev/tcp/127.0.0.1/{listener.getsockname()[1]}' && echo reached a port
kill -9 {hub.pid} && echo reached the hub by a signal
cat /proc/{hub.pid}/environ && echo reached the environment of the hub
cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep QUARTERDECK_DATA && echo reached an environment
ls /proc/1/root/ && echo reached another root
ls /proc/1/fd && echo reached the open files of its first process
nsenter -t 1 -a true && echo reached another namespace
unshare -Ur true && echo reached a namespace of its own
echo > /etc/written && echo reached /etc
echo > /usr/bin/written && echo reached the programs
find / \\( -path /proc -o -path /usr \\) -prune -o -type f -size +0 -print | sed 's/^/reached /' |
    grep -v -e 'reached /etc/' -e /.quarterdeck/
test $(id -u) -eq 0 && echo reached root
test $(id -G | wc -w) -gt 1 && echo reached the groups of another
sudo -n true && echo reached root by sudo
echo over
""",
        )
    assert answers[-1] == "over"
    assert [line for line in answers if line.startswith("reached")] == []
    assert hub.poll() is None
    keys = (data / "keys").read_text().strip()
    assert keys not in "\n".join(answers)


def test_a_script_that_takes_all_it_can_leaves_the_hub_answering(
    program: Quarterdeck, api: Client
) -> None:
    answers = log_of(
        api,
        program,
        """\
dd if=/dev/zero of=big bs=1M count=1000 2>/dev/null; code=$?
rm -f big
test $code -eq 0 || echo the disk is full
head -c 2000000000 /dev/zero | tail -c 2000000000 > /dev/null || echo the memory is bounded
""",
    )
    assert {"the disk is full", "the memory is bounded"} <= set(answers)
    bomb = installed(api, program, "bomb() { bomb | bomb & }\nbomb\nsleep 2\n", name="bomb")
    eventually(lambda: status(api, bomb) == "running")
    slowest = 0.0
    for _ in range(50):
        began = time.monotonic()
        api.ok("GET", "clusters")
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 5.0
    assert program.stop(seconds=20) == 0


def test_what_it_keeps_is_there_after_the_next_start(program: Quarterdeck, api: Client) -> None:
    (cluster,) = api.ok("GET", "clusters")
    api.ok("POST", f"clusters/{cluster['id']}/install")

    def shown() -> Any:
        return api.ok("GET", f"clusters/{cluster['id']}")

    eventually(lambda: shown()["status"] == "in_sync", 60)
    program.kill()
    program.start()
    eventually(lambda: speaks_ssh(program))
    check = api.ok("POST", f"clusters/{cluster['id']}/check")["id"]
    eventually(lambda: status(api, check) not in UNDER_WAY, 60)
    assert status(api, check) == "succeeded", api.ok("GET", f"tasks/{check}")["reason"]
    assert log(api, check)[-1] == "as declared"
    assert shown()["status"] == "in_sync"


def names(api: Client) -> list[str]:
    return [each["name"] for each in api.ok("GET", "clusters") if each["status"] != "deleted"]


def speaks_ssh(program: Quarterdeck) -> bool:
    port = int((program.folder / "data" / "example" / "port").read_text())
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def test_the_example_can_be_unloaded_and_loaded_again(program: Quarterdeck, api: Client) -> None:
    eventually(lambda: speaks_ssh(program))
    unloaded = program.run("example", "--unload")
    assert unloaded.returncode == 0, unloaded.stderr
    eventually(lambda: names(api) == [])
    eventually(lambda: not speaks_ssh(program))
    assert program.run("example").returncode == 0
    eventually(lambda: names(api) == ["first-cluster"])
    eventually(lambda: speaks_ssh(program))


def test_the_example_is_switched_off_by_a_setting_and_says_so(server_folder: Path) -> None:
    folder = server_folder / "example-off"
    folder.mkdir()
    program = Quarterdeck(folder, example_host="false")
    try:
        program.start()
        refused = program.run("example")
        assert refused.returncode == 1
        sentence = "The example is not served here: QUARTERDECK_EXAMPLE_HOST is false."
        assert sentence in refused.stderr
        assert "The example's host is not served: QUARTERDECK_EXAMPLE_HOST" in program.errors
        assert not (folder / "data" / "example").exists()
    finally:
        program.close()
        shutil.rmtree(folder, ignore_errors=True)
