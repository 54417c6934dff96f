"""Validating what a cluster's author filled in, against the schema and what was there before."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Any

from domain.input_parameters.nearest import did_you_mean, escaped
from domain.input_parameters.rules import complaints
from domain.input_parameters.scalars import AnyScalar, Scalar
from domain.input_parameters.schema import RESERVED_PREFIX, Header, Parameter, fields_of
from domain.model import Fault, Invalid, Value
from domain.patterns import Steps
from domain.secrets import MASK, Secret

MAX_UNKNOWN_KEYS = 20


class Values(Value):
    """What a cluster's author filled in, checked, with the defaults.

    `plain` and `secret` together are what the template is given; `kept` names the secrets that
    stay as they were before.
    """

    plain: dict[str, AnyScalar] = {}
    secret: dict[str, Secret] = {}
    kept: frozenset[str] = frozenset()


def validate_values(
    parameters: Iterable[Parameter | Header],
    values: Mapping[str, Any],
    previous: Mapping[str, Any] | None = None,
    known_secrets: AbstractSet[str] = frozenset(),
    at: str = "/values",
) -> Values:
    """The values checked against the schema. Raises Invalid with every fault in them.

    A required field that is left out takes its default. An optional field that is left out or null
    is not among the result: its default is only what the form offers. An immutable field that is
    left out keeps its value. A password may be given as MASK when it is among `known_secrets`: it
    is not among the result's secrets then, but in `kept`.
    """
    fields = fields_of(parameters)
    given = _Given(values, previous or {}, known_secrets)
    verdicts = {key: given.verdict(field) for key, field in fields.items()}
    faults = list(_unknown_keys(values, fields, at))
    for key, verdict in verdicts.items():
        faults += [Fault(pointer=f"{at}/{key}", detail=text) for text in verdict.complaints]
    if faults:
        raise Invalid(faults)
    return Values(
        plain={k: v.value for k, v in verdicts.items() if not isinstance(v.value, Secret | None)},
        secret={k: v.value for k, v in verdicts.items() if isinstance(v.value, Secret)},
        kept=frozenset(key for key, verdict in verdicts.items() if verdict.is_kept),
    )


def _unknown_keys(
    values: Mapping[str, Any], fields: Mapping[str, Parameter], at: str
) -> Iterator[Fault]:
    unknown = (key for key in values if key not in fields)
    for key in islice(unknown, MAX_UNKNOWN_KEYS):
        yield Fault(pointer=f"{at}/{escaped(key)}", detail=_unknown_key(key, fields))
    if next(unknown, None) is not None:
        yield Fault(pointer=at, detail="has more keys that are not parameters of the template")


def _unknown_key(key: str, fields: Mapping[str, Parameter]) -> str:
    if key.startswith(RESERVED_PREFIX):
        return "Quarterdeck gives this value itself"
    return f"the template has no such parameter{did_you_mean(key, fields)}"


@dataclass(slots=True, frozen=True)
class _Verdict:
    """What came of one field: a value, or nothing, or complaints."""

    value: Scalar | Secret | None = None
    is_kept: bool = False
    complaints: tuple[str, ...] = ()


_KEPT = _Verdict(is_kept=True)
_REQUIRED = _Verdict(complaints=("is required",))
_CHANGED = _Verdict(complaints=("cannot change once it is set",))
_NOTHING_TO_KEEP = _Verdict(complaints=("is masked, and there is no earlier value to keep",))


class _Given:
    """The values of one request, beside what was there before."""

    def __init__(
        self,
        values: Mapping[str, Any],
        previous: Mapping[str, Any],
        known_secrets: AbstractSet[str],
    ) -> None:
        self._values = values
        self._previous = previous
        self._known_secrets = known_secrets
        self._steps = Steps()

    def verdict(self, field: Parameter) -> _Verdict:
        return self._secret(field) if field.is_secret else self._plain(field)

    def _plain(self, field: Parameter) -> _Verdict:
        given = self._values.get(field.key)
        if given == MASK and field.key in self._known_secrets:
            return _Verdict(complaints=("is no password any more: write the value out",))
        before = self._previous.get(field.key) if field.immutable else None
        if before is not None and field.key not in self._values:
            given = before
        if given is None and not field.optional:
            given = field.default
        if before is not None and not _is_same(given, before):
            return _CHANGED
        return self._checked(field, given)

    def _secret(self, field: Parameter) -> _Verdict:
        given = self._values.get(field.key)
        is_known = field.key in self._known_secrets
        if given == MASK:
            return _KEPT if is_known else _NOTHING_TO_KEEP
        if field.immutable and is_known:
            return _CHANGED if field.key in self._values else _KEPT
        verdict = self._checked(field, given)
        return _Verdict(Secret(given)) if verdict.value is not None else verdict

    def _checked(self, field: Parameter, value: Any) -> _Verdict:
        if value is None:
            return _Verdict() if field.optional else _REQUIRED
        if wrong := tuple(complaints(field, value, self._steps)):
            return _Verdict(complaints=wrong)
        return _Verdict(value)


def _is_same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
