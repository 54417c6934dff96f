"""Names and references that several aggregates share."""

from enum import StrEnum
from ipaddress import IPv6Address
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from domain.model import Value

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""A name for people: 1 to 100 characters on one line."""

Comment = Annotated[str, StringConstraints(max_length=2000)]
"""A remark for people: up to 2,000 characters, lines allowed."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
"""A word for addresses: a lower-case letter, then letters, digits and hyphens, 2 to 40 in all."""

ClusterName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A cluster's name: an RFC 1123 label, as Kubernetes names things."""


Minutes = Annotated[int, Field(ge=1, le=10_080)]
"""An interval of one minute to one week."""


class ChangeMode(StrEnum):
    """Whether changes are applied at once or wait for a person."""

    AUTO = "auto"
    MANUAL = "manual"


class OperationKind(StrEnum):
    """What can be done to a cluster's infrastructure, in the product's words for tasks."""

    INSTALL = "install"
    CHANGE = "change"
    CHECK = "check"
    DELETE = "delete"


def canonical_host(text: str) -> str:
    """A name as it is; an address of IPv6 without brackets and in its one short form (RFC 5952),
    with its scope. Raises ValueError for what only looks like one."""
    if ":" not in text:
        return text
    return str(IPv6Address(text[1:-1] if text[:1] + text[-1:] == "[]" else text))


def host_and_port(host: str, port: int) -> str:
    """`name:22`, `192.0.2.1:22` or `[2001:db8::1]:22` (RFC 3986)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class ConnectionHost(Value):
    """A machine that is logged in to over SSH, and as whom."""

    host: str
    user: str
    port: int = 22


class DocumentRef(Value):
    """A long text kept once beside the log: SHA-256 of its stored form, bytes of the plain one."""

    digest: str
    size: int
    subject_id: UUID | None = None
    """Whose data key seals it; None for a text that holds no secret."""
