"""Settings: read once from QUARTERDECK_* variables; an unknown one is an error that names it."""

import difflib
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

PREFIX = "QUARTERDECK_"
NOT_OURS = {"QUARTERDECK_TESTBED"}
"""Variables of the test bed, which may be set beside ours."""


class BadSettings(Exception):
    """The environment does not say what a process needs; one sentence for each fault."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError("this is no time zone, such as Europe/Moscow") from None
    return name


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("this is no address such as https://quarterdeck.example")
    return text


def _site_address(text: str) -> str:
    """Pages, redirects and cookies begin at the root of a host: a path before them is refused."""
    parts = urlsplit(_web_address(text))
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(
            f"Quarterdeck needs a host name of its own, such as {parts.scheme}://quarterdeck.example,"
            " without a path, a user or a query"
        )
    return text


def _networks(text: str) -> str:
    for word in text.split():
        try:
            ip_network(word, strict=False)
        except ValueError:
            raise ValueError(f"{word} is no network such as 10.0.0.0/8") from None
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
SiteAddress = Annotated[str, AfterValidator(_site_address)]


class Settings(BaseModel):
    """All settings; each process takes those it needs.

    Every variable may be given as QUARTERDECK_NAME_FILE, the path of a file that holds the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="folder of the embedded database and the keys")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL to use; without it `up` runs an embedded one"
    )
    keys: SecretStr | None = Field(
        None, description="master keys as `number:base64`; by default the file `keys` in the data"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="port to listen on")
    probe_port: int | None = Field(
        None, ge=1, le=65535, description="where a process without pages answers its probes"
    )
    public_url: SiteAddress | None = Field(
        None, description="how browsers and clusters reach this server"
    )
    allowed_hosts: str = Field("", description="more host names to answer to, with spaces between")
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "", description="networks whose X-Forwarded-For is believed"
    )
    administrator: str = Field("admin", description="name of the first administrator")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="zone of the times on pages and in audit lines"
    )
    kafka: str | None = Field(None, description="Kafka's bootstrap servers, host:port")
    loki_url: WebAddress | None = Field(None, description="Loki to ship the audit to")
    audit_format: Literal["json", "text"] = Field("json", description="form of the audit lines")
    log_format: Literal["auto", "console", "json"] = Field("auto", description="form of the logs")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least weight of what is logged"
    )
    example_host: bool = Field(
        True, description="whether `up` serves the example's throw-away SSH host on this machine"
    )
    name: str | None = Field(None, description="name of this process; host and pid by default")
    slots: int = Field(10, ge=1, le=1000, description="tasks a manager works on at once")
    lease_seconds: float = Field(
        15.0, gt=0, le=3600, description="silence after which another manager goes on with a task"
    )

    @property
    def url(self) -> str:
        return (self.public_url or f"http://{_shown_host(self.host)}:{self.port}").rstrip("/")

    @property
    def process_name(self) -> str:
        return self.name or f"{os.uname().nodename}-{os.getpid()}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], **given: Any) -> Self:
        """Settings of the environment; what is given (from the command line) wins.

        An empty variable is none. Raises BadSettings with a sentence for each variable at fault.
        """
        found: dict[str, Any] = {}
        for variable, value in environment.items():
            if value and variable.startswith(PREFIX) and variable not in NOT_OURS:
                name, text = _named(cls, variable, value)
                if name in found:
                    raise BadSettings(
                        f"{PREFIX}{name.upper()} and {PREFIX}{name.upper()}_FILE are both set."
                    )
                found[name] = text
        found.update({name: value for name, value in given.items() if value is not None})
        try:
            return cls(**found)
        except ValidationError as error:
            raise BadSettings(
                "\n".join(_sentence(fault) for fault in error.errors(include_input=False))
            ) from None


def _named(cls: type[Settings], variable: str, value: str) -> tuple[str, str]:
    name = variable.removeprefix(PREFIX).lower()
    if name in cls.model_fields:
        return name, value
    if name.endswith("_file") and name.removesuffix("_file") in cls.model_fields:
        try:
            return name.removesuffix("_file"), Path(value).read_text().strip()
        except OSError as error:
            raise BadSettings(f"{variable}: {value} cannot be read ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise BadSettings(f"{variable}: {value} is no text file.") from None
    near = difflib.get_close_matches(name, list(cls.model_fields), n=1)
    hint = f" Did you mean {PREFIX}{near[0].upper()}?" if near else ""
    raise BadSettings(f"{variable} is no setting of Quarterdeck.{hint}")


def _sentence(fault: ErrorDetails) -> str:
    place = "_".join(str(part) for part in fault["loc"]).upper()
    said = fault["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{place}: {said[0].lower()}{said[1:]}."


def _shown_host(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
