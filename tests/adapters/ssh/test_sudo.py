"""Scripts run through sudo as distributions set it up: what they find is what is promised."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex

import pytest

from adapters.ssh.installer import SSHInstaller
from adapters.ssh.sentences import SUDO_ADVICE
from tests.adapters.contracts.installer_stories import Place, phase, tell
from tests.adapters.ssh.places import place_on
from tests.support.servers import sshd
from tests.support.servers.missing import MissingServer, installed
from tests.support.servers.ssh import may_mount

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not may_mount(), reason="It takes the right to mount."),
]

USER = "deploy"
UID = 64_321
PASSWORD = "correct horse"
SECURE_PATH = 'Defaults secure_path="/sbin:/bin:/usr/sbin:/usr/bin"'
"""RHEL's: without /usr/local."""
NO_PASSWORD = f"{USER} ALL=(ALL) NOPASSWD: ALL"
WITH_PASSWORD = f"{USER} ALL=(ALL) ALL"


@pytest.fixture
def place(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A host where a user who is not root has the sudoers lines that the test gives."""
    with installed(), host_with(server_folder / f"sudo-{token_hex(4)}", request.param) as place:
        yield place


@contextmanager
def host_with(folder: Path, sudoers: str) -> Iterator[Place]:
    if not Path("/usr/bin/sudo").exists():
        raise MissingServer("No sudo here: install the package sudo.")
    line = f"{USER}:x:{UID}:{UID}::{folder}/home:/bin/bash\n"
    files = {
        "/etc/sudoers": f"{sudoers}\n",
        "/etc/passwd": Path("/etc/passwd").read_text() + line,
        "/etc/group": Path("/etc/group").read_text() + f"{USER}:x:{UID}:\n",
        "/etc/shadow": Path("/etc/shadow").read_text() + f"{USER}:{_hash()}:20000:0:99999:7:::\n",
    }
    with ExitStack() as stack:
        host = stack.enter_context(sshd(folder, files=files))
        host.user = USER
        subprocess.run(["chown", "-R", f"{UID}:{UID}", str(host.home)], check=True)
        yield place_on(host)


def _hash() -> str:
    words = ["openssl", "passwd", "-6", "-salt", "salt", PASSWORD]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def program(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho {name}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("place", [f"{SECURE_PATH}\n{NO_PASSWORD}"], indirect=True)
async def test_a_program_that_the_log_in_finds_is_found_through_sudo(place: Place) -> None:
    """sshd's PATH for a log-in has /usr/local/bin; sudo's secure_path has not."""
    own = place.home / "bin"
    own.mkdir()
    program(own, "mine")
    (place.home / ".bashrc").write_text(f"export PATH={own}:$PATH\n")
    script = "id -un; mine; echo $PATH"
    plain = await tell(SSHInstaller(), place.install(phase("a", script)))
    rooted = await tell(SSHInstaller(), place.install(phase("a", script), sudo=True))
    assert plain.output("a")[:2] == [USER, "mine"]
    assert rooted.output("a")[:2] == ["root", "mine"]
    paths = [story.output("a")[2].split(":") for story in (plain, rooted)]
    for folders in paths:
        assert {"/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"} <= set(folders)
    assert paths[1][0] == str(own)


@pytest.mark.parametrize(
    "place",
    [
        f"Defaults env_reset, !env_keep, umask=0077, lecture=always\n{NO_PASSWORD}",
        f"Defaults !env_reset, use_pty, always_set_home\n{NO_PASSWORD}",
        f"Defaults env_delete += PATH, !noexec\n{NO_PASSWORD}",
    ],
    indirect=True,
)
async def test_variables_and_the_exit_code_pass_through_however_sudo_treats_the_environment(
    place: Place,
) -> None:
    script = "echo $A; umask; id -u; echo B=2 >> $QUARTERDECK_STATE; exit 5"
    story = await tell(SSHInstaller(), place.install(phase("a", script), sudo=True, env={"A": "x"}))
    assert story.output("a") == ["x", "0022", "0"]
    assert "exit code 5" in story.error


@pytest.mark.parametrize(
    ("place", "last_line"),
    [
        (f"Defaults requiretty\n{NO_PASSWORD}", "sudo: sorry, you must have a tty to run sudo"),
        (WITH_PASSWORD, "sudo: a password is required"),
        ("root ALL=(ALL) ALL", "sudo: a password is required"),
        (f"{USER} ALL=(ALL) NOPASSWD: /bin/true", "sudo: a password is required"),
    ],
    indirect=["place"],
)
async def test_a_sudo_that_refuses_is_told_with_what_to_change(
    place: Place, last_line: str
) -> None:
    story = await tell(SSHInstaller(), place.install(phase("a", "echo here"), sudo=True))
    assert story.error == (
        f"Phase a could not start: sudo refused. {SUDO_ADVICE} Last line: {last_line}"
    )


@pytest.mark.parametrize("place", [WITH_PASSWORD], indirect=True)
@pytest.mark.parametrize(("password", "is_right"), [(PASSWORD, True), ("wrong", False)])
async def test_the_password_of_sshconfig_is_given_to_sudo(
    place: Place, password: str, is_right: bool
) -> None:
    place.connection[0]["sudoPassword"] = password
    story = await tell(SSHInstaller(), place.install(phase("a", "id -un"), sudo=True))
    if is_right:
        assert story.output("a") == ["root"]
    else:
        assert story.error.startswith(f"Phase a could not start: sudo refused. {SUDO_ADVICE}")


@pytest.mark.parametrize("place", [NO_PASSWORD], indirect=True)
async def test_a_host_without_sudo_is_told_as_such(place: Place) -> None:
    tools = place.home / "tools"
    tools.mkdir()
    for folder in (Path("/usr/bin"), Path("/bin"), Path("/usr/sbin")):
        for file in folder.iterdir():
            if file.name != "sudo" and not (tools / file.name).exists():
                (tools / file.name).symlink_to(file)
    (place.home / ".bashrc").write_text(f"export PATH={tools}\n")
    story = await tell(SSHInstaller(), place.install(phase("a", "echo here"), sudo=True))
    assert story.error.endswith("Last line: sudo is not installed")
