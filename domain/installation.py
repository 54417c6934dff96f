"""How a cluster is installed over SSH: the phases to run, and the hosts and keys to reach."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from domain.model import Fault, Invalid, Value
from domain.secrets import Secret
from domain.values import ConnectionHost, OperationKind, canonical_host, host_and_port

API_VERSION = "quarterdeck.io/v1"
DHCTL_API_VERSION = "dhctl.deckhouse.io/v1"
CONNECT = "connect"
"""The installer's own first phase: the host it chooses is saved before any script runs."""

MAX_PHASES = 50
MAX_SCRIPT_BYTES = 256 * 1024
MAX_ENVIRONMENT_BYTES = 64 * 1024
MAX_TIMEOUT_SECONDS = 24 * 3600
PHASE_TIMEOUT_SECONDS = 15 * 60
CHECK_TIMEOUT_SECONDS = 60

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
NOT_A_HOST = "must be the name or the address of a host"
PORT = re.compile(r"[0-9]{1,5}")
PORTS = range(1, 65536)
HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]{0,252}")
MAX_LABEL = 63
"""Characters between two dots of a name (RFC 1035)."""
USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,63}\$?")
SHELL = re.compile(r"/[A-Za-z0-9._/-]{1,254}")
SPAN = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")

SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
}


def _label(text: str) -> str:
    if not LABEL.fullmatch(text):
        raise ValueError("must be 1 to 63 lower-case letters, digits and inner hyphens")
    return text


def _phase_name(text: str) -> str:
    if _label(text) == CONNECT:
        raise ValueError(f"{CONNECT} is the name of the installer's own first phase")
    return text


def _script(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    if "\0" in text:
        raise ValueError("holds a NUL character")
    if _size(text) > MAX_SCRIPT_BYTES:
        raise ValueError(f"is longer than {MAX_SCRIPT_BYTES // 1024} KiB")
    return text


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate)") from None


def _seconds(value: Any) -> Any:
    match value:
        case str():
            span = SPAN.fullmatch(value)
            if not value or not span:
                raise ValueError("must be a time such as 90s, 15m or 1h30m, or whole seconds")
            hours, minutes, seconds = (int(part or 0) for part in span.groups())
            value = hours * 3600 + minutes * 60 + seconds
        case bool() | float():
            raise ValueError("must be a time such as 90s, 15m or 1h30m, or whole seconds")
    if isinstance(value, int) and not 1 <= value <= MAX_TIMEOUT_SECONDS:
        raise ValueError(f"must be between 1s and {MAX_TIMEOUT_SECONDS // 3600}h")
    return value


def _environment(variables: dict[str, str]) -> dict[str, str]:
    for name, text in variables.items():
        if not VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of a variable")
        if name.startswith("QUARTERDECK_"):
            raise ValueError(f"{name}: names with QUARTERDECK_ in front are Quarterdeck's own")
        if "\0" in text:
            raise ValueError(f"{name} holds a NUL character")
    if sum(_size(f"{name}={text}") for name, text in variables.items()) > MAX_ENVIRONMENT_BYTES:
        raise ValueError(f"is larger than {MAX_ENVIRONMENT_BYTES // 1024} KiB in all")
    return variables


def _host(text: str) -> str:
    """A name or an address, which may bring its port: `name:2222`, `[2001:db8::1]:2222`."""
    try:
        host, port = _parts(text)
        host = canonical_host(host)
    except ValueError:
        raise ValueError(NOT_A_HOST) from None
    labels = host.removesuffix(".").split(".")
    are_labels = ":" in host or all(0 < len(label) <= MAX_LABEL for label in labels)
    if not HOST.fullmatch(host) or not are_labels or (port is not None and port not in PORTS):
        raise ValueError(NOT_A_HOST)
    return host if port is None else host_and_port(host, port)


def split_host(text: str, default_port: int) -> tuple[str, int]:
    """The host and its own port, or the one that the connection gives for all."""
    host, port = _parts(text)
    return canonical_host(host), default_port if port is None else port


def _parts(text: str) -> tuple[str, int | None]:
    if text.count(":") != 1 and "]:" not in text:
        return text, None
    host, _, port = text.rpartition(":")
    if not PORT.fullmatch(port):
        raise ValueError(NOT_A_HOST)
    return host, int(port)


def _user(text: str) -> str:
    if not USER.fullmatch(text):
        raise ValueError("must be the name of a user on the host")
    return text


def _shell(text: str) -> str:
    if not SHELL.fullmatch(text):
        raise ValueError("must be the full path of a shell, such as /bin/bash")
    return text


def _no_arguments(text: str) -> str:
    if text.strip():
        raise ValueError("is for the ssh program, which this installer does not use: leave it out")
    return text


def _as_check(value: Any) -> Any:
    return {"script": value} if isinstance(value, str) else value


Label = Annotated[str, AfterValidator(_label)]
PhaseName = Annotated[str, AfterValidator(_phase_name)]
Script = Annotated[str, AfterValidator(_script)]
Seconds = Annotated[StrictInt, BeforeValidator(_seconds)]
Environment = Annotated[dict[str, str], AfterValidator(_environment)]
Host = Annotated[str, AfterValidator(_host)]
User = Annotated[str, AfterValidator(_user)]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]


class Document(Value):
    """A part of a YAML document, with the names of fields as they are written there."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class Check(Document):
    """A script that looks and changes nothing: exit code 0 says that nothing is to be done."""

    script: Script = Field(repr=False)
    timeout_seconds: Seconds = Field(CHECK_TIMEOUT_SECONDS, alias="timeout")


class Phase(Document):
    """One step: its script is idempotent, unless it is critical."""

    name: PhaseName
    script: Script = Field(repr=False)
    check: Annotated[Check | None, BeforeValidator(_as_check)] = None
    timeout_seconds: Seconds = Field(PHASE_TIMEOUT_SECONDS, alias="timeout")
    critical: StrictBool = False
    """When its end is unknown, a person must look before it is run again."""


def _distinct(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    if not 1 <= len(phases) <= MAX_PHASES:
        raise ValueError(f"must hold 1 to {MAX_PHASES} phases")
    names = [phase.name for phase in phases]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is the name of {names.count(name)} phases")
    return phases


Phases = Annotated[tuple[Phase, ...], AfterValidator(_distinct)]


class Destroy(Document):
    """How the cluster is taken down: in phases of its own, or in one script."""

    phases: Phases | None = None
    script: Script | None = Field(None, repr=False)
    timeout_seconds: Seconds | None = Field(None, alias="timeout")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.phases is None) == (self.script is None):
            raise ValueError("must hold either phases or a script")
        if self.phases is not None and self.timeout_seconds is not None:
            raise ValueError("has phases, and each has a timeout of its own")
        return self

    @property
    def steps(self) -> tuple[Phase, ...]:
        if self.script is None:
            return self.phases or ()
        seconds = self.timeout_seconds or PHASE_TIMEOUT_SECONDS
        return (Phase(name="destroy", script=self.script, timeout_seconds=seconds),)


class Installation(Document):
    """What an SSHInstallation says: its `spec`."""

    phases: Phases
    check: Annotated[Check | None, BeforeValidator(_as_check)] = None
    destroy: Destroy | None = None
    env: Environment = Field({}, repr=False)
    shell: Annotated[str, AfterValidator(_shell)] = "/bin/sh"
    sudo: StrictBool = False

    def phases_for(self, kind: OperationKind) -> tuple[Phase, ...]:
        """What the operation runs, in order; for a check, what only looks."""
        match kind:
            case OperationKind.INSTALL | OperationKind.CHANGE:
                return self.phases
            case OperationKind.DELETE:
                return self.destroy.steps if self.destroy else ()
            case OperationKind.CHECK:
                return tuple(self._checks())

    def _checks(self) -> Iterator[Phase]:
        named = [("check", self.check)] if self.check else [(p.name, p.check) for p in self.phases]
        for name, check in named:
            if check:
                yield Phase(name=name, script=check.script, timeout_seconds=check.timeout_seconds)


class SSHInstallation(Document):
    """Quarterdeck's own document: a versioned plan of scripts."""

    api_version: Literal["quarterdeck.io/v1"]
    kind: Literal["SSHInstallation"]
    metadata: dict[str, Any] = {}
    spec: Installation


class PrivateKey(Document):
    key: Secret
    passphrase: Secret | None = None


class SSHConfig(Document):
    """dhctl's document: who logs in, with what, through what."""

    api_version: Literal["dhctl.deckhouse.io/v1"]
    kind: Literal["SSHConfig"]
    ssh_user: User
    ssh_port: Port = 22
    ssh_extra_args: Annotated[str, AfterValidator(_no_arguments)] = ""
    ssh_agent_private_keys: tuple[PrivateKey, ...] = ()
    ssh_bastion_host: Host | None = None
    ssh_bastion_port: Port = 22
    ssh_bastion_user: User | None = None
    sudo_password: Secret | None = None


class SSHHost(Document):
    """dhctl's document: one master; the first that answers is taken."""

    api_version: Literal["dhctl.deckhouse.io/v1"]
    kind: Literal["SSHHost"]
    host: Host


class Bastion(Value):
    host: str
    port: int
    user: str


class Connection(Value):
    """Where to log in and as whom; without `private_keys` it is with the cluster's own."""

    hosts: tuple[str, ...]
    port: int
    user: str
    private_keys: tuple[PrivateKey, ...] = ()
    bastion: Bastion | None = None
    sudo_password: Secret | None = None


class InstallationPlan(Value):
    """All that the rendered sections say about an installation over SSH."""

    installation: Installation
    connection: Connection


Kind = TypeVar("Kind", bound=Document)
Placed = tuple[str, Mapping[str, Any]]


def plan_of(documents: Mapping[str, Sequence[Any]]) -> InstallationPlan:
    """The plan that the rendered sections (name → documents) hold, whatever the sections' names.

    Raises Invalid; its pointers are `/section/number of the document/field/…`.
    """
    faults: list[Fault] = []
    installations = _read(SSHInstallation, documents, faults, is_single=True)
    configs = _read(SSHConfig, documents, faults, is_single=True)
    hosts = _read(SSHHost, documents, faults)
    if faults:
        raise Invalid(faults)
    return InstallationPlan(
        installation=installations[0].spec, connection=_connection(configs[0], hosts)
    )


def masters_of(documents: Mapping[str, Sequence[Any]]) -> tuple[ConnectionHost, ...]:
    """The hosts that the rendered sections name, in their order; none while they do not hold."""
    faults: list[Fault] = []
    configs = _read(SSHConfig, documents, faults, is_single=True)
    hosts = _read(SSHHost, documents, faults)
    if faults:
        return ()
    reached = _connection(configs[0], hosts)
    at = (split_host(host, reached.port) for host in reached.hosts)
    return tuple(ConnectionHost(host=host, user=reached.user, port=port) for host, port in at)


def _connection(config: SSHConfig, hosts: Sequence[SSHHost]) -> Connection:
    bastion = None
    if config.ssh_bastion_host:
        user = config.ssh_bastion_user or config.ssh_user
        host, port = split_host(config.ssh_bastion_host, config.ssh_bastion_port)
        bastion = Bastion(host=host, port=port, user=user)
    return Connection(
        hosts=tuple(dict.fromkeys(host.host for host in hosts)),
        port=config.ssh_port,
        user=config.ssh_user,
        private_keys=config.ssh_agent_private_keys,
        bastion=bastion,
        sudo_password=config.sudo_password,
    )


def _read(
    kind: type[Kind],
    documents: Mapping[str, Sequence[Any]],
    faults: list[Fault],
    *,
    is_single: bool = False,
) -> list[Kind]:
    placed = _of_kind(kind, documents)
    faults.extend(_miscounted(kind.__name__, placed, is_single=is_single))
    read = []
    for pointer, document in placed:
        try:
            read.append(kind.model_validate(document, by_name=False))
        except ValidationError as error:
            faults.extend(_fault(pointer, detail) for detail in error.errors(include_input=False))
    return read


def _of_kind(kind: type[Document], documents: Mapping[str, Sequence[Any]]) -> list[Placed]:
    return [
        (f"/{_token(section)}/{number}", document)
        for section, held in documents.items()
        for number, document in enumerate(held)
        if isinstance(document, Mapping) and document.get("kind") == kind.__name__
    ]


def _miscounted(kind: str, placed: Sequence[Placed], *, is_single: bool) -> Iterator[Fault]:
    if not placed:
        group = API_VERSION if kind == "SSHInstallation" else DHCTL_API_VERSION
        yield Fault(pointer="", detail=f"no section holds a document of kind {kind} ({group})")
    elif is_single:
        first = placed[0][0]
        for pointer, _ in placed[1:]:
            yield Fault(pointer=f"{pointer}/kind", detail=f"{kind} is already given at {first}")


def _fault(pointer: str, detail: ErrorDetails) -> Fault:
    where = "".join(f"/{_token(str(step))}" for step in detail["loc"])
    words = detail["msg"].removeprefix("Value error, ")
    return Fault(pointer=pointer + where, detail=SENTENCES.get(detail["type"], words))


def _token(text: str) -> str:
    """A step of a JSON pointer (RFC 6901)."""
    return text.replace("~", "~0").replace("/", "~1")
