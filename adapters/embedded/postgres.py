"""EmbeddedPostgres is a PostgreSQL server that lives in one folder and ends with our process."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.embedded.binaries import Binaries, binaries_for
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.folder import DataFolder
from adapters.embedded.postmaster import Postmaster

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "running_dsn"]

USER = "quarterdeck"
DATABASE = "quarterdeck"

SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "quarterdeck",
    # A failing statement's text, parameters and keys may hold what nobody else may read.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}

START_SECONDS = 300.0
FAST_STOP_SECONDS = 5.0
QUICK_STOP_SECONDS = 5.0


class EmbeddedPostgres:
    """A server over the folder `data`, started on entering the context and stopped on leaving it.

    `settings` are added to SETTINGS. It listens on a private unix socket, and on 127.0.0.1 too
    when `port` is given (there without a password: for tests). Start it from a thread that lives
    on, since Linux ends the server with the thread that started it. Raises EmbeddedPostgresError.
    """

    def __init__(
        self,
        data: Path,
        *,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        durable_creation: bool = True,
    ) -> None:
        self.folder = DataFolder(data)
        self.port = port or 5432
        self._listens = port is not None
        self._settings = {**SETTINGS, **(settings or {})}
        self._durable_creation = durable_creation
        self._binaries: Binaries | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        try:
            await _in_thread(self._prepare)
            self._spawn()
            for pause in self._pauses_until_ready():
                await asyncio.sleep(pause)
        except BaseException:
            self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await _in_thread(self.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and return when connections are accepted, also after a crash or `stop()`."""
        try:
            self._prepare()
            self._spawn()
            for pause in self._pauses_until_ready():
                time.sleep(pause)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down fast (open transactions are rolled back); at most about ten seconds."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        self.folder.release()

    async def ended(self) -> int:
        """Wait until the server ends by itself, which it should not; gives its exit status."""
        process = self._running_process
        descriptor = os.pidfd_open(process.pid)
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        loop.add_reader(descriptor, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        return process.wait()

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._running_process.pid

    @property
    def dsn(self) -> str:
        """A libpq connection string for the private socket, whichever process serves it."""
        return _dsn(str(self.folder.socket_folder), self.port)

    @property
    def tcp_dsn(self) -> str:
        """A libpq connection string for 127.0.0.1, only where a port was asked for."""
        if not self._listens:
            raise EmbeddedPostgresError("This PostgreSQL listens on no port.")
        return _dsn("127.0.0.1", self.port)

    @property
    def _running_process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise EmbeddedPostgresError(f"The PostgreSQL over {self.folder.path} is not running.")
        return self._process

    def _prepare(self) -> None:
        try:
            self.folder.take()
            self._binaries = binaries_for(self.folder.account)
            if not self.folder.cluster.exists():
                self._create_cluster()
            self.folder.write_access_rules(loopback=self._listens)
            self.folder.make_socket_folder()
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The data folder {self.folder.path} cannot be used: {error.strerror or error}."
            ) from error

    def _create_cluster(self) -> None:
        # Under another name until it is whole, so that a kill in between leaves no half of one.
        unfinished = self.folder.unfinished_cluster
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run_program("initdb", *self._initdb_arguments(unfinished))
        self._run_program(
            *("postgres", "--single", "-D", str(unfinished), "postgres"),
            statement=f"CREATE DATABASE {DATABASE}",
        )
        unfinished.rename(self.folder.cluster)

    def _initdb_arguments(self, folder: Path) -> list[str]:
        arguments = ["-D", str(folder), "-U", USER, "-E", "UTF8", "--locale=C", "-A", "peer"]
        return arguments if self._durable_creation else [*arguments, "--no-sync"]

    def _run_program(self, program: str, *arguments: str, statement: str = "") -> None:
        done = subprocess.run(
            self._as_account(signal.SIGKILL, program, *arguments),
            input=statement.encode(),
            capture_output=True,
            check=False,
            cwd="/",
            env=_environment(),
        )
        if done.returncode != 0:
            complaint = _last_complaint(done.stderr.decode(errors="replace"))
            raise EmbeddedPostgresError(f"A PostgreSQL cannot be created: {complaint}.")

    def _spawn(self) -> None:
        log = self.folder.open_log()
        try:
            self._process = subprocess.Popen(
                self._as_account(signal.SIGINT, "postgres", *self._server_arguments()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
            )
        finally:
            os.close(log)

    def _as_account(self, death: signal.Signals, program: str, *arguments: str) -> list[str]:
        if self._binaries is None:
            raise EmbeddedPostgresError("The binaries were not looked for.")
        child = str(Path(__file__).with_name("child.py"))
        account = self.folder.account
        numbers = [os.getpid(), int(death), account.uid, account.gid]
        interpreter = [sys.executable, "-I", "-S", child, *map(str, numbers)]
        return [*interpreter, self._binaries.program(program), *arguments]

    def _server_arguments(self) -> list[str]:
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1" if self._listens else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder.socket_folder),
            "unix_socket_permissions": "0700",
        }
        pairs = [("-c", f"{name}={value}") for name, value in settings.items()]
        return ["-D", str(self.folder.cluster), *(word for pair in pairs for word in pair)]

    def _pauses_until_ready(self) -> Iterator[float]:
        """Seconds to wait before looking again; ends when the server accepts connections."""
        process = self._running_process
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(process.pid):
            if process.poll() is not None:
                complaint = _last_complaint(self.folder.log.read_text(errors="replace"))
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {complaint}.")
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL was not ready in {START_SECONDS:.0f} s: see {self.folder.log}."
                )
            yield 0.01

    def _is_ready(self, pid: int) -> bool:
        postmaster = Postmaster.of(self.folder.cluster)
        return postmaster is not None and postmaster.pid == pid and postmaster.is_ready


def running_dsn(data: Path) -> str | None:
    """The connection string of the server that another process runs over `data`, if one does."""
    postmaster = Postmaster.of(data.absolute() / "cluster")
    if postmaster is None or not postmaster.is_alive or not postmaster.is_ready:
        return None
    return _dsn(postmaster.socket_folder, postmaster.port)


def _dsn(host: str, port: int) -> str:
    quoted = host.replace("\\", "\\\\").replace("'", "\\'")
    return f"host='{quoted}' port={port} user={USER} dbname={DATABASE}"


def _environment() -> dict[str, str]:
    # Nothing of ours: the server's children read PG* and locale variables, and we hold secrets.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _last_complaint(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marks = ("FATAL:", "PANIC:", "error:", "could not")
    telling = [line for line in lines if any(mark in line for mark in marks)]
    chosen = (telling or lines or ["it said nothing"])[-1]
    return chosen.split("FATAL:")[-1].split("error:")[-1].strip().rstrip(".")


async def _in_thread(work: Callable[[], None]) -> None:
    """Run the blocking work to its end even if we are cancelled: half of it helps nobody."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    steps = [(signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, QUICK_STOP_SECONDS)]
    for step, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(step)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()
