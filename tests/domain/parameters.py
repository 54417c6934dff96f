"""Input parameters as a schema declares them, and what comes of schemas and values."""

from collections.abc import Mapping
from typing import Any

import pytest

from domain.input_parameters import Values, parse_parameters, validate_values
from domain.model import Invalid


def field(key: str = "name", type: str = "string", **rest: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), "type": type, **rest}


def faults_of_schema(*raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_parameters(list(raw))
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def filled(schema: list[dict[str, Any]], values: Mapping[str, Any], **before: Any) -> Values:
    return validate_values(parse_parameters(schema), values, **before)


def faults_of(
    schema: list[dict[str, Any]], values: Mapping[str, Any], **before: Any
) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        filled(schema, values, **before)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


REPLICAS = field("replicas", "number", min=1, max=5, default=3)
ZONE = field("zone", enum=["a", "b"])
HA = field("ha", "boolean", optional=True)
PROXY = field("proxy", optional=True, minLength=3, default="http://proxy")
PASSWORD = field("password", format="password", minLength=8)
TOKEN = field("token", format="password", optional=True)
SUBNET = field("subnet", immutable=True)
KEY = field("key", format="password", immutable=True)
