"""The first process of a sandbox: it starts the commands that the hub sends, and ends with the hub.

It is a program of its own that has one thing of the hub's, a socket of packets. One that comes is
`{"id", "command"}` with three descriptors, the command's input, output and errors; it is answered
by `{"id", "code"}`. When the hub is gone, however it went, all that runs here is killed.
"""

import fcntl
import json
import os
import platform
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any, NoReturn

from adapters.ssh.sandbox.limits import (
    PROCESSES,
    be_first_to_die,
    bound_resources,
    gain_no_rights,
    hide_memory,
    processes_of_ours,
)
from adapters.ssh.sandbox.namespaces import (
    ACCOUNT,
    NoNamespaces,
    enter_namespaces,
    take_account,
)
from adapters.ssh.sandbox.root_folder import HOME, build_root_folder
from adapters.ssh.sandbox.saved_home import restore_home, save_home
from adapters.ssh.sandbox.system_calls import ARCHITECTURES, filter_system_calls

PACKET_BYTES = 160 * 1024
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {
    "HOME": HOME,
    "USER": "quarterdeck",
    "LOGNAME": "quarterdeck",
    "SHELL": "/bin/sh",
    "PATH": PATH,
}
CANNOT_EXECUTE = 126
"""The exit code of a command that could not be started, as shells have it."""


def main(descriptor: str, folder: str) -> None:
    """Enter the namespaces, start the first process in them, and stay until it has ended.

    `folder` keeps what is in the home from one time to the next.
    """
    hub = socket.socket(fileno=int(descriptor))
    os.umask(0o022)
    try:
        processes = _enter_namespaces()
        if os.fork() == 0:
            _serve(hub, folder, processes)
    except (NoNamespaces, OSError) as error:
        _refuse(hub, error)
    hub.close()
    os.wait()


def _enter_namespaces() -> int:
    """How many processes a command may see of its account. Raises NoNamespaces or OSError."""
    if platform.machine() not in ARCHITECTURES:
        raise NoNamespaces(f"there is no system-call filter for {platform.machine()}")
    be_first_to_die()
    foreign = 0 if os.geteuid() == 0 else processes_of_ours()
    enter_namespaces()
    return PROCESSES + foreign


def _serve(hub: socket.socket, folder: str, processes: int) -> NoReturn:
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        # The one before may be saving yet, whose hub was killed a moment ago.
        fcntl.flock(place, fcntl.LOCK_EX)
        root = Path(folder, "root")
        root.mkdir(exist_ok=True)
        build_root_folder(str(root))
        restore_home(place, HOME, ACCOUNT)
        hide_memory()
    except OSError as error:
        _refuse(hub, error)
    _Init(hub, processes).serve()
    save_home(HOME, place)
    sys.exit()


def _refuse(hub: socket.socket, error: Exception) -> NoReturn:
    # A hub that has ended meanwhile needs no reason.
    with suppress(BrokenPipeError, ConnectionResetError):
        hub.send(json.dumps({"refused": str(error)}).encode())
    sys.exit(1)


class _Init:
    def __init__(self, hub: socket.socket, processes: int) -> None:
        self._hub = hub
        self._processes = processes
        self._commands: dict[int, int] = {}
        """Process ids to what the hub calls the commands."""

    def serve(self) -> None:
        """Start what comes and tell how it ended, until the hub is gone; then kill everything."""
        ends = _wakes_at_the_end_of_children()
        self._tell(is_ready=True)
        while True:
            readable, _, _ = select([self._hub.fileno(), ends], [], [])
            if ends in readable:
                os.read(ends, 4096)
                self._reap()
            if self._hub.fileno() in readable and not self._start_next():
                break
        _kill_all()

    def _start_next(self) -> bool:
        """Start the next command; False when there will be none."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._hub, PACKET_BYTES, 3)
        except ConnectionError:
            return False
        if not packet:
            return False
        asked = json.loads(packet)
        pid = os.fork()
        if pid == 0:
            self._become(asked["command"], descriptors)
        self._commands[pid] = asked["id"]
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _become(self, command: str | None, descriptors: list[int]) -> NoReturn:
        """Turn this process into the command."""
        try:
            for place, descriptor in enumerate(descriptors):
                os.dup2(descriptor, place)
            os.closerange(3, 1024)
            os.setsid()
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            bound_resources(self._processes)
            take_account()
            gain_no_rights()
            filter_system_calls()
            os.chdir(HOME)
            os.execve("/bin/sh", ["/bin/sh", *(["-c", command] if command else [])], ENVIRONMENT)
        except (OSError, ValueError) as error:
            os.write(2, f"cannot be started: {error}\n".encode(errors="replace"))
        finally:
            os._exit(CANNOT_EXECUTE)

    def _reap(self) -> None:
        while pid_and_status := _ended_child():
            pid, status = pid_and_status
            if pid in self._commands:
                code = os.waitstatus_to_exitcode(status)
                self._tell(id=self._commands.pop(pid), code=code if code >= 0 else 128 - code)

    def _tell(self, **answer: Any) -> None:
        try:
            self._hub.send(json.dumps(answer).encode())
        except ConnectionError:
            # It is gone, as the next read will say.
            return


def _wakes_at_the_end_of_children() -> int:
    """A descriptor that can be read when a child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _ended_child() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _kill_all() -> None:
    """Every process of the sandbox but this one."""
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        return
