"""The toolkit speaks plain POSIX sh: with whatever shell and tools a host has, it does the same."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import adapters.ssh
from tests.support.servers.missing import MissingServer, installed

TOOLKIT = Path(adapters.ssh.__file__).with_name("toolkit.sh")
MARK = "--quarterdeck--\n"


@dataclass
class Shell:
    """A shell with its tools, and a task's folder to work in."""

    command: list[str]
    path: str
    task: Path

    def ask(self, *words: str, given: str = "") -> tuple[str, str]:
        """What a verb answers, and what it says beside."""
        done = subprocess.run(
            [*self.command, str(TOOLKIT), *words],
            input=given,
            capture_output=True,
            text=True,
            env={"PATH": self.path, "HOME": str(self.task)},
            timeout=30,
            check=True,
        )
        _, mark, answer = done.stdout.partition(MARK)
        assert mark
        return answer, done.stderr

    def start(self, script: str, *, timeout: int = 30, limit: int = 4096) -> None:
        staged = str(self.task / "staged")
        for name, text in (("script", script), ("env", "export A='b c'\n")):
            self.ask("put", staged, name, str(len(text.encode())), given=text)
        answer, _ = self.ask(
            "start",
            self.phase,
            "script.1",
            staged,
            "0",
            str(limit),
            str(timeout),
            "/bin/sh",
            "self",
        )
        assert answer == "started\n"

    def follow(self, offset: int = 0) -> tuple[str, str]:
        output, words = self.ask("follow", self.phase, "script.1", str(offset))
        return output, words.split("\n")[-2]

    @property
    def phase(self) -> str:
        return str(self.task / "phase")


@pytest.fixture(params=["sh", "busybox", "bash"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    with installed():
        program = shutil.which(request.param)
        if program is None:
            raise MissingServer(f"No {request.param} here: install the package {request.param}.")
    task = tmp_path / "task"
    task.mkdir()
    if request.param == "busybox":
        tools = tmp_path / "tools"
        tools.mkdir()
        subprocess.run([program, "--install", "-s", str(tools)], check=True, capture_output=True)
        yield Shell([str(tools / "sh")], str(tools), task)
    else:
        posix = ["--posix"] if request.param == "bash" else []
        yield Shell([program, *posix], os.environ["PATH"], task)


def test_a_script_runs_with_its_variables_and_its_end_is_told(shell: Shell) -> None:
    assert shell.ask("look", shell.phase, "script")[0] == "none\n"
    shell.start("echo $A; exit 3")
    output, ending = shell.follow()
    assert output == "b c\n"
    assert ending.startswith("end 3 ended 0 ")
    assert shell.ask("look", shell.phase, "script")[0].startswith("1 present ")


def test_it_is_claimed_once(shell: Shell) -> None:
    shell.start("echo ran")
    shell.ask("put", str(shell.task / "other"), "script", "4", given="true")
    answer, _ = shell.ask(
        "start", shell.phase, "script.1", str(shell.task / "other"), "0", "4096", "9", "sh", "self"
    )
    assert answer == "found\n"
    assert shell.follow()[0] == "ran\n"


def test_output_is_read_from_any_byte_on(shell: Shell) -> None:
    shell.start("echo first; echo second")
    assert shell.follow(6)[0] == "second\n"


def test_output_beyond_the_limit_is_counted_and_dropped(shell: Shell) -> None:
    shell.start("head -c 10000 /dev/zero; exit 5")
    output, ending = shell.follow()
    assert output == "\0" * 4096
    assert ending.startswith("end 5 ended 5904 ")


def test_a_script_is_ended_when_its_time_is_up(shell: Shell) -> None:
    shell.start("echo go; sleep 600", timeout=1)
    output, ending = shell.follow()
    assert output == "go\n"
    assert ending.split()[2] == "timed-out"


def test_a_script_is_stopped(shell: Shell) -> None:
    shell.start("sleep 600")
    shell.ask("stop", shell.phase, "script.1")
    assert shell.follow()[1].split()[2] == "stopped"


def test_a_script_that_is_stopped_before_it_is_claimed_never_starts(shell: Shell) -> None:
    shell.ask("stop", shell.phase, "script.1")
    shell.ask("put", str(shell.task / "staged"), "script", "4", given="true")
    answer, _ = shell.ask(
        "start", shell.phase, "script.1", str(shell.task / "staged"), "0", "4096", "9", "sh", "self"
    )
    assert answer == "found\n"
    assert shell.follow()[1] == "end 143 stopped 0 0"


def test_half_a_script_is_not_taken(shell: Shell) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        shell.ask("put", str(shell.task / "staged"), "script", "9", given="half")
    assert refused.value.stderr == "only 4 of 9 bytes arrived\n"


def test_an_age_in_another_boot_is_not_known(shell: Shell) -> None:
    shell.start("exit 3")
    assert shell.follow()[1].startswith("end 3 ended 0 ")
    claim = Path(shell.phase) / "script.1" / "claim"
    claim.write_text(f"another-{claim.read_text()}")
    assert shell.ask("look", shell.phase, "script")[0] == "1 present -\n"
    claim.write_text(claim.read_text().removeprefix("another-").split()[0] + " \n")
    assert shell.ask("look", shell.phase, "script")[0] == "1 present -\n"
