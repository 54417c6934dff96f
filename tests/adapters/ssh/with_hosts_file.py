"""Installs from a process that has an /etc/hosts of its own: `python -m … FILE < request`."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from tests.adapters.contracts.installer_stories import Place, phase, tell

IN_ITS_OWN = 'mount --bind "$1" /etc/hosts && exec "$2" -m tests.adapters.ssh.with_hosts_file'


def installed(
    folder: Path, hosts: Mapping[str, Sequence[str]], place: Place
) -> tuple[list[str], str | None]:
    """What a script printed, and how the installation failed; `hosts` gives addresses by name."""
    file = folder / "hosts"
    lines = [f"{address} {name}" for name, each in hosts.items() for address in each]
    file.write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
    asked = {
        "home": str(place.home),
        "connection": place.connection,
        "private_key": place.private_key,
    }
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", IN_ITS_OWN, "sh", str(file), sys.executable],
        input=json.dumps(asked),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        env=dict(os.environ),
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer["output"], answer["error"]


async def _install() -> None:
    asked = json.load(sys.stdin)
    place = Place(Path(asked["home"]), asked["connection"], asked["private_key"], {})
    timings = Timings(connect_seconds=3, patience_seconds=3)
    story = await tell(SSHInstaller(timings), place.install(phase("first", "echo here")))
    print(json.dumps({"output": story.output("first"), "error": story.finished.error}))


if __name__ == "__main__":
    asyncio.run(_install())
