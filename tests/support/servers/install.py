"""Run as a program with servers' names, this installs those that are missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.servers.missing import MissingServer
from tests.support.servers.stock_postgres import DEBIANS
from tests.support.servers.testbed import make


def _is_there(program: str) -> bool:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return shutil.which(program, path=places) is not None


def _package(program: str, package: str) -> None:
    if _is_there(program):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingServer(f"No {program} here: install the package {package}.")
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], check=True)
    install = [*apt, "install", "-y", "--no-install-recommends", package]
    subprocess.run(install, check=True, env=quiet, stdout=subprocess.DEVNULL)


def _ssh_server() -> None:
    # Installing the package on a machine with an init system would open its port 22.
    if not _is_there("sshd") and Path("/run/systemd/system").exists():
        raise MissingServer("No sshd here: install the package openssh-server.")
    _package("sshd", "openssh-server")
    _package("sudo", "sudo")
    _package("busybox", "busybox")


def _debians_postgresql() -> None:
    """Debian's PostgreSQL 15 with what its `jit` needs, and without a server of its own."""
    if DEBIANS.exists():
        return
    _package("pg_conftool", "postgresql-common")
    options = Path("/etc/postgresql-common/createcluster.conf")
    if "\ncreate_main_cluster = false" not in options.read_text():
        with options.open("a") as more:
            more.write("\ncreate_main_cluster = false\n")
    _package(str(DEBIANS / "bin" / "postgres"), "postgresql-15")


def _pgbouncer() -> None:
    # Installing the package on a machine with an init system would start one on port 6432.
    if not _is_there("pgbouncer") and Path("/run/systemd/system").exists():
        raise MissingServer("No pgbouncer here: install the package pgbouncer.")
    _package("pgbouncer", "pgbouncer")


INSTALL: dict[str, Callable[[], object]] = {
    "sshd": _ssh_server,
    "chromium": lambda: _package("chromium", "chromium"),
    "kafka": lambda: make("kafka"),
    "debian-postgresql": _debians_postgresql,
    "postgresql": lambda: make("postgresql"),
    "pgbouncer": _pgbouncer,
    "loki": lambda: make("loki"),
    "templates": lambda: make("templates"),
}


def main(names: list[str]) -> int:
    """Install each; what cannot be installed is one line, and a failure only where CI=true."""
    missing = 0
    for name in names:
        try:
            INSTALL[name]()
        except (MissingServer, subprocess.CalledProcessError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            missing += 1
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
