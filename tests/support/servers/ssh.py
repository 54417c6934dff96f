"""An SSH host is a real sshd on loopback whose keys, fate and connections a test decides."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import asyncssh

from tests.support.servers.missing import MissingServer
from tests.support.servers.processes import free_port, spawn, wait_until

UP_SECONDS = 20.0

CONFIGURATION = """\
ListenAddress {address}:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 200
MaxSessions 200
LogLevel VERBOSE
SetEnv HOME={folder}/home
Subsystem sftp internal-sftp
"""


class SshHost:
    """One sshd; it comes up with a host key of its own and with nobody authorised.

    What is run on it runs on this machine under `user`, with `home` as HOME. `options` are lines
    of sshd_config instead of those of every test; `files` (path to text) are seen there instead of
    this machine's, which takes the right to mount.
    """

    def __init__(
        self,
        folder: Path,
        address: str = "127.0.0.1",
        options: Sequence[str] = (),
        files: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.address = address
        self.port = free_port(address)
        self.user = getpass.getuser()
        self.home = folder / "home"
        self.log = folder / "sshd.log"
        self.options = tuple(options)
        self.files = files
        self._program = _find_program()
        self._process: subprocess.Popen[bytes] | None = None
        self.home.mkdir(parents=True)
        (folder / "authorized_keys").touch()
        self.change_host_key()
        self._configure()

    @property
    def host_key(self) -> str:
        """The public half of the host key, one line in OpenSSH's form without a comment."""
        text = (self.folder / "host_key.pub").read_text()
        return " ".join(text.split()[:2])

    def authorize(self, public_key: str) -> None:
        """Let the owner of one more public key (a line in OpenSSH's form) come in."""
        with (self.folder / "authorized_keys").open("a") as keys:
            keys.write(public_key.strip() + "\n")

    def authorize_nobody(self) -> None:
        """Take every authorisation back."""
        (self.folder / "authorized_keys").write_text("")

    def change_host_key(self) -> None:
        """Make a new host key, as a reinstalled or a false host has; a running one restarts."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(self.folder / "host_key"))
        key.write_public_key(str(self.folder / "host_key.pub"))
        (self.folder / "host_key").chmod(0o600)
        if self._process is not None:
            self.restart()

    def start(self) -> None:
        """Listen; returns when sshd answers."""
        command = [self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self._process = spawn([*self._mounting(), *command], self.log)
        wait_until(self._answers, self._process, self.log, UP_SECONDS)

    @property
    def logins(self) -> int:
        """How often somebody was let in."""
        return self.log.read_text().count("Accepted publickey")

    def configure(self, *options: str) -> None:
        """Start anew with these lines of sshd_config."""
        self.options = options
        self._configure()
        self.restart()

    def stop(self) -> None:
        """Go away with every connection; scripts that run go on, as behind a cut cable."""
        if self._process is None:
            return
        connections = _connections(self._process.pid)
        self._process.kill()
        self._process.wait()
        self._process = None
        _kill(connections)

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def cut_connections(self) -> None:
        """Cut every connection and go on listening."""
        if self._process is not None:
            _kill(_connections(self._process.pid))

    def freeze(self) -> None:
        """Stop answering without closing anything, as a host does that hangs."""
        for pid in self._processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze()`."""
        for pid in self._processes():
            os.kill(pid, signal.SIGCONT)

    def _mounting(self) -> list[str]:
        if not self.files:
            return []
        mounts = []
        for number, (path, text) in enumerate(self.files.items()):
            own = self.folder / f"mounted-{number}"
            own.write_text(text)
            own.chmod(Path(path).stat().st_mode)
            mounts.append(f"mount --bind {own} {path} && ")
        return [
            shutil.which("unshare") or "unshare",
            "--mount",
            "sh",
            "-c",
            f'{"".join(mounts)}exec "$@"',
            "sh",
        ]

    def _processes(self) -> list[int]:
        if self._process is None:
            return []
        return [self._process.pid, *_connections(self._process.pid)]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=1) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False

    def _configure(self) -> None:
        listen = f"[{self.address}]" if ":" in self.address else self.address
        text = CONFIGURATION.format(address=listen, port=self.port, folder=self.folder)
        given = {option.split()[0] for option in self.options}
        lines = [line for line in text.splitlines() if line.split()[0] not in given]
        text = "\n".join([*lines, *self.options, ""])
        configuration = self.folder / "sshd_config"
        # OpenSSH since 9.8 bars an address that failed; a test fails on purpose.
        configuration.write_text(text + "PerSourcePenalties no\n")
        check = [self._program, "-t", "-f", str(configuration)]
        if subprocess.run(check, capture_output=True, check=False).returncode != 0:
            configuration.write_text(text)


def may_mount() -> bool:
    """Whether a host may have files of its own."""
    words = ["unshare", "--mount", "true"]
    return bool(shutil.which("unshare")) and not subprocess.run(words, check=False).returncode


@contextmanager
def sshd(
    folder: Path,
    address: str = "127.0.0.1",
    options: Sequence[str] = (),
    files: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[SshHost]:
    """A running SSH host with its files in `folder`, gone with its connections afterwards."""
    host = SshHost(folder, address, options, files)
    try:
        host.start()
        yield host
    finally:
        host.stop()


def _find_program() -> str:
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise MissingServer("No sshd here: install the package openssh-server.")
    if os.geteuid() == 0:
        # Where no init system started sshd before, nobody made the folder it locks itself into.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return program


def _connections(listener: int) -> list[int]:
    """The sshd processes below the listener, not the shells they started."""
    below = [pid for pid in _children(listener) if _name(pid).startswith("sshd")]
    return below + [deeper for pid in below for deeper in _connections(pid)]


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
