"""Sources that nobody would write, made of everything that templates have.

Most of what a function is given is of a kind that it takes: else nearly all of them would fail
before they did anything.
"""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from adapters.gotpl.functions import functions
from tests.adapters.gotpl.corpus import values

OURS = frozenset({"fromYaml", "fromYamlArray", "fromJsonArray", "keys", "toYaml", "values"})
"""Their words or their order are ours: cases of their own are enough."""

SLOW = frozenset({"derivePassword"})
"""By intent."""

NEVER_GIVEN = "none"
"""A map that lacks it is printed otherwise."""

VALUES = {name: value for name, value in values.VALUES.items() if name != NEVER_GIVEN}

_SIGNATURES = {
    name: signature
    for name, signature in functions().items()
    if name not in OURS | SLOW and "uint32" not in signature.fixed
}

_SIMPLE: Mapping[str, Sequence[str]] = {
    "string": [
        *(".name", ".text", ".accents", ".html", ".blank", "``", "`a`", '"é\\n"', "`,`", "` `"),
        *("`%v|%5d`", "`[a-z]+`", "`1.2.3`", "`^1`", "`2006-01-02`", '`{"a":[1,{"b":2.5}]}`'),
        *("`12`", "`int`", "`db`", "`x-y_z Q`", "`http://u@h:1/p?q#f`", "$.name", "`R3LDvA==`"),
    ],
    "int": ["0", "1", "2", "3", "5", "-1", "7", "0x10", "'a'", ".count", ".zero", "(len .name)"],
    "float": ["0.5", "2.5", "-1.5", "1e3", ".ratio", ".tiny", "3.0"],
    "bool": ["true", "false", ".yes", ".no", "(not .name)"],
    "map": [
        *(".map", ".hollow", "(dict `a` 1 `b` $.list)", ".map.c", "(dict `a` (dict `x` 1))", "$"),
    ],
    "list": [
        *(".list", ".numbers", ".names", ".nested", ".empty", ".people", "(until 3)"),
        *("(splitList `,` `b,a`)", "(list 1 `a` nil)", "(toStrings .list)", "(list)"),
    ],
    "time": ["(toDate `2006-01-02` `2024-02-29`)"],
    "odd": [*("nil", ".map.n", ".nothing", ".list.x", "(semver `1.2.3`)", "(add 1 2)", "$v", "1i")],
}
_BY_KIND = {kind: st.sampled_from(sources) for kind, sources in _SIMPLE.items()}
_CHANGING = frozenset(
    {"merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite", "set", "unset"}
)
_FRESH = st.sampled_from(["(dict)", "(dict `a` 1 `b` $.list)", "(dict `a` (dict `x` 1))"])
"""What is changed is new: Go itself does not survive a map that holds itself."""

_ANY = st.sampled_from([source for kind in _SIMPLE for source in _SIMPLE[kind]])

_GIVING: Mapping[str, Sequence[str]] = {
    "string": [
        *("upper", "trim", "title", "snakecase", "camelcase", "kebabcase", "quote", "squote"),
        *("trunc", "abbrev", "replace", "trimSuffix", "join", "toJson", "toString", "cat"),
        "nospace",
        *("initials", "swapcase", "printf", "print", "html", "js", "urlquery", "b64enc", "indent"),
        *("substr", "wrap", "regexReplaceAll", "regexFind", "sha1sum", "untitle", "plural", "base"),
    ],
    "int": ["len", "int", "atoi", "int"],
    "bool": ["eq", "ne", "has", "contains", "hasKey", "empty", "not", "kindIs", "deepEqual", "any"],
    "map": ["dict", "merge", "mergeOverwrite", "pick", "omit", "set", "unset", "deepCopy"],
    "list": [
        *("list", "append", "prepend", "concat", "uniq", "without", "reverse", "rest", "initial"),
        *("sortAlpha", "splitList", "regexFindAll", "compact", "slice", "until", "pluck", "chunk"),
    ],
}


@st.composite
def _call(draw: st.DrawFn, name: str, depth: int) -> str:
    signature = _SIGNATURES[name]
    kinds = list(signature.fixed)
    if signature.rest is not None:
        kinds += [signature.rest] * draw(st.integers(0, 3))
    if not draw(st.integers(0, 30)):
        kinds = kinds[1:] if draw(st.booleans()) else [*kinds, "any"]
    given = [draw(_operand(kind, depth)) for kind in kinds]
    if name in _CHANGING and given:
        given[0] = draw(_FRESH)
    return " ".join([name, *given])


@st.composite
def _operand(draw: st.DrawFn, kind: str, depth: int) -> str:
    if not draw(st.integers(0, 40)):
        return draw(_ANY)
    if kind not in _BY_KIND:
        kind = draw(st.sampled_from([*_GIVING, "list", "float", "odd"]))
    if depth and kind in _GIVING and draw(st.booleans()):
        name = draw(st.sampled_from(_GIVING[kind]))
        return f"({draw(_call(name, depth - 1))})"
    source = draw(_BY_KIND[kind])
    # Where the dot is something else by now, $ still is what was given.
    return f"${source}" if source.startswith(".") and draw(st.integers(0, 4)) else source


_NAMES = st.sampled_from(sorted(_SIGNATURES))
_PIPED = st.sampled_from(sorted(set(_SIGNATURES) - _CHANGING))


@st.composite
def _expressions(draw: st.DrawFn) -> str:
    source = draw(_call(draw(_NAMES), 2))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        name = draw(_PIPED)
        signature = _SIGNATURES[name]
        given = [draw(_operand(kind, 1)) for kind in signature.fixed[:-1]]
        source = " | ".join([source, " ".join([name, *given])])
    return source


_TRIMS = st.sampled_from([("{{ ", " }}"), ("{{- ", " -}}"), ("{{", "}}"), ("{{ ", " -}}")])
_TEXTS = st.sampled_from(["", "a", " \n", "é ", "\n  b: ", "{ ", " }"])
_HEADS = st.sampled_from(
    [
        *("if {}", "with {}", "range {}", "range $i, $v := {}", "with $v := {}", "if $v := {}"),
        *("range $v = {}", "if not ({})", "range $v := {}"),
    ]
)
_MIDDLES = st.sampled_from(["{{ else }}", "{{ else }}", "{{ else WORD $.yes }}"])
_LEAVES = st.sampled_from(
    [
        *("", "", "{{ break }}", "{{ continue }}", "{{ $v = 1 }}"),
        "{{ if .count }}{{ break }}{{ end }}",
    ]
)


@st.composite
def _actions(draw: st.DrawFn) -> str:
    left, right = draw(_TRIMS)
    return f"{left}{draw(st.one_of(_expressions(), _operand('any', 2)))}{right}"


@st.composite
def _blocks(draw: st.DrawFn, depth: int) -> str:
    head = draw(_HEADS)
    value = draw(_operand("list" if "range" in head else "any", 2))
    body, other = draw(_bodies(depth - 1)), draw(_bodies(depth - 1))
    leave = draw(_LEAVES) if "range" in head else ""
    word = head.partition(" ")[0]
    middle = draw(_MIDDLES).replace("WORD", word) if word != "range" else "{{ else }}"
    return f"{{{{ {head.format(value)} }}}}{body}{leave}{middle}{other}{{{{ end }}}}"


@st.composite
def _bodies(draw: st.DrawFn, depth: int) -> str:
    pieces = []
    for _ in range(draw(st.integers(1, 3))):
        block = [_blocks(depth)] if depth else []
        pieces.append(draw(st.one_of(_TEXTS, _actions(), *block)))
    return "".join(pieces)


@st.composite
def sources(draw: st.DrawFn) -> str:
    """`$v` is always declared; now and then the body calls a template."""
    body = draw(_bodies(2))
    if draw(st.booleans()):
        inner, given = draw(_bodies(1)), draw(st.one_of(st.just("$"), _operand("any", 1)))
        body = f'{{{{ define "t" }}}}{inner}{{{{ end }}}}{body}\n{{{{ template "t" {given} }}}}'
    return f"{{{{ $v := 7 }}}}{body}"
