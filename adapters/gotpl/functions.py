"""What a template can call: of Go's, sprig's and Helm's functions those that always answer alike.

The same values must give the same text whenever they are rendered: a render is repeated to show
what changed, and a certificate that is new each time would be a change each time.

gotpl has sprig's functions; those that it answers otherwise than sprig are in `corrections`.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from gotpl.exts.helm.runtime import HelmExtension
from gotpl.runtime.results import unwrap_function_result

from adapters.gotpl import builtins, comparisons, corrections, formats, printing
from adapters.gotpl.signatures import Signature
from adapters.gotpl.sprig import SPRIG

_CHANGING = (
    *("ago", "date", "dateInZone", "dateModify", "date_in_zone", "date_modify", "durationRound"),
    *("htmlDate", "htmlDateInZone", "now", "randAlpha", "randAlphaNum", "randAscii", "randBytes"),
    *("randInt", "randNumeric", "shuffle", "uuidv4", "bcrypt", "encryptAES", "htpasswd"),
    *("genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey"),
    *("genSignedCert", "genSignedCertWithKey", "env", "expandenv", "getHostByName"),
)
_HEAVY = ("buildCustomCert", "decryptAES")

NOT_OFFERED: Mapping[str, str] = {
    **dict.fromkeys(_CHANGING, "because the same values must always give the same text"),
    **dict.fromkeys(_HEAVY, "because it loads what a confined process cannot load"),
}
"""Sprig's functions that are left out, and why."""

_SIGNATURES: Mapping[str, Sequence[str]] = {
    "": ["hello"],
    "any": [
        *("toString", "kindOf", "typeOf", "empty", "toJson", "toPrettyJson", "toRawJson"),
        *("toYaml", "mustToJson", "mustToPrettyJson", "mustToRawJson", "deepCopy", "mustDeepCopy"),
        *("int", "float64", "add1f", "ceil", "floor", "duration"),
        *("first", "mustFirst", "last", "mustLast", "rest", "mustRest", "initial", "mustInitial"),
        *("reverse", "mustReverse", "compact", "mustCompact", "uniq", "mustUniq"),
    ],
    "any > int64": ["int64", "toDecimal", "add1"],
    "any > strings": ["toStrings", "sortAlpha"],
    "any...": [
        *("quote", "squote", "cat", "list", "tuple", "concat", "coalesce", "all", "any"),
        *("dict", "dig", "addf"),
    ],
    "any... > int64": ["add"],
    "any any": [
        *("append", "mustAppend", "push", "mustPush", "prepend", "mustPrepend"),
        *("has", "mustHas", "deepEqual"),
    ],
    "any any > int64": ["sub", "div", "mod"],
    "any any...": [
        *("default", "without", "mustWithout", "slice", "mustSlice"),
        *("subf", "divf", "mulf", "maxf", "minf"),
    ],
    "any any... > int64": ["mul", "max", "biggest", "min"],
    "any any bool": ["ternary"],
    "any int float...": ["round"],
    "string": [
        *("trim", "upper", "lower", "title", "untitle", "nospace", "initials", "swapcase"),
        *("snakecase", "camelcase", "kebabcase", "sha1sum", "sha256sum", "sha512sum"),
        *("adler32sum", "atoi", "base", "dir", "clean", "ext", "isAbs", "osBase", "osDir"),
        *("osClean", "osExt", "osIsAbs", "b64enc", "b64dec", "b32enc", "b32dec"),
        *("fromJson", "mustFromJson", "fail", "regexQuoteMeta", "semver", "urlParse"),
        *("fromYaml", "fromYamlArray", "fromJsonArray"),
    ],
    "string string": [
        *("trimall", "trimAll", "trimSuffix", "trimPrefix", "contains", "hasPrefix", "hasSuffix"),
        *("regexMatch", "mustRegexMatch", "regexFind", "mustRegexFind", "semverCompare"),
        *("toDate", "mustToDate"),
    ],
    "string string > stringmap": ["split"],
    "string string > strings": ["splitList"],
    "string int string > stringmap": ["splitn"],
    "string string string": [
        *("replace", "regexReplaceAll", "mustRegexReplaceAll"),
        *("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral"),
    ],
    "string string int": ["plural"],
    "string string int > strings": [
        *("regexFindAll", "mustRegexFindAll", "regexSplit", "mustRegexSplit"),
    ],
    "string any": ["join", "kindIs", "typeIs", "typeIsLike", "required"],
    "string time": ["mustDateModify", "must_date_modify"],
    "time": ["unixEpoch"],
    "int string": ["abbrev", "trunc", "repeat", "wrap", "indent", "nindent"],
    "int int string": ["abbrevboth", "substr"],
    "int string string": ["wrapWith"],
    "int > ints": ["until"],
    "int int int > ints": ["untilStep"],
    "int...": ["seq"],
    "int any > lists": ["chunk", "mustChunk"],
    "uint32 string string string string": ["derivePassword"],
    "map": ["values", "urlJoin"],
    "map string": ["get", "hasKey", "unset"],
    "map string any": ["set"],
    "map string...": ["pick", "omit"],
    "map... > strings": ["keys"],
    "map map...": ["merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite"],
    "string map...": ["pluck"],
}
"""Go's types of what is taken and, where it matters, given."""

_FROM_HELM = ("fromJsonArray",)


class Told(Exception):
    """A sentence that the template's author wrote for those who fill it in."""


def functions() -> Mapping[str, Signature]:
    """All of them but `and`, `or` and `include`, which only a run can answer."""
    known = {**SPRIG, **{name: HelmExtension().functions[name] for name in _FROM_HELM}}
    known |= corrections.FUNCTIONS
    known |= {"required": _required, "fail": _fail}
    named = {
        name: Signature.of(written, _unwrapped(known[name]))
        for written, names in _SIGNATURES.items()
        for name in names
    }
    return {**BUILTINS, **named}


BUILTINS: Mapping[str, Signature] = {
    name: Signature.of(written, function)
    for name, written, function in (
        ("and", "value value...", builtins.call),
        ("or", "value value...", builtins.call),
        ("call", "value value...", builtins.call),
        ("html", "any...", builtins.html),
        ("index", "value value...", builtins.index),
        ("js", "any...", builtins.js),
        ("len", "value", builtins.length),
        ("not", "value", builtins.negated),
        ("print", "any...", printing.printed),
        ("printf", "string any...", formats.printed_by),
        ("println", "any...", printing.printed_line),
        ("urlquery", "any...", builtins.urlquery),
        ("eq", "value value...", comparisons.eq),
        ("ge", "value value", comparisons.ge),
        ("gt", "value value", comparisons.gt),
        ("le", "value value", comparisons.le),
        ("lt", "value value", comparisons.lt),
        ("ne", "value value", comparisons.ne),
    )
}


def why_not_there(name: str, known: Mapping[str, object]) -> str:
    """What to tell who calls a function that is not offered."""
    if name in NOT_OFFERED:
        return f"the function {name} is not offered, {NOT_OFFERED[name]}"
    nearest = get_close_matches(name, known, n=1)
    hint = f": did you mean {nearest[0]}?" if nearest else ""
    return f"there is no function {name}{hint}"


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def answered(*arguments: Any) -> Any:
        return unwrap_function_result(function(*arguments))

    return answered


def _required(message: str, value: object) -> object:
    if value is None or value == "":
        raise Told(message)
    return value


def _fail(message: str) -> object:
    raise Told(message)
