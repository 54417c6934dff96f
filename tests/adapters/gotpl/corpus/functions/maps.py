"""Cases of sprig's functions of maps."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "dict": [
        "dict",
        "dict `a` 1 `b` .none",
        "dict `a`",
        "dict 1 2 3.5 4",
        "dict .none 1",
        "dict `a` 1 `a` 2 | toJson",
    ],
    "get": [
        "get .map `a`",
        "get .map `x` | quote",
        "get .map `n`",
        "get .list `a`",
        "(get .map `c`).d",
    ],
    "set": [
        "set (dict `a` 1) `b` 2",
        "set .map `a` 5 | toJson",
        "set (dict) 1 2",
        "set .none `a` 1",
    ],
    "unset": ["unset (dict `a` 1 `b` 2) `a`", "unset .map `x` | len"],
    "hasKey": ["hasKey .map `a`", "hasKey .map `x`", "hasKey .map `n`", "hasKey .list `a`"],
    "pluck": [
        "pluck `name` .map",
        "pluck `name` (index .people 0) (index .people 1) (index .people 2)",
        "pluck `a`",
    ],
    "keys": [
        "keys .map | sortAlpha",
        "keys",
        "keys .map (dict `z` 1) | sortAlpha",
        "keys .list",
        "keys .hollow",
    ],
    "values": ["values (dict `a` 1)", "values .hollow", "values .map | len", "values .list"],
    "pick": ["pick .map `a` `x`", "pick .map", "pick .map `n`"],
    "omit": ["omit .map `c` `n`", "omit .map", "omit .map `x` | len"],
    "dig": [
        "dig `c` `d` `e` `none` .map",
        "dig `c` `x` `e` `none` .map",
        "dig `a` `b` `none` .map",
        "dig `x` 5 .map",
        "dig `a` .map",
        "dig `n` `d` .map",
        "dig .map",
        "dig `a` 1 .list",
        "dig 1 2 .map",
    ],
    "merge": [
        "merge (dict `a` 1) (dict `a` 2 `b` 3)",
        "merge (dict `a` (dict `x` 0)) .map",
        "merge (dict) .list",
        "merge (dict `a` 0) (dict `a` 5)",
        "merge (dict `a` `` `b` nil) (dict `a` `x` `b` 1)",
        "merge (dict `l` (list 1)) (dict `l` (list 2))",
        "merge (dict `a` 1) (dict `a` (dict `b` 1))",
    ],
    "mergeOverwrite": [
        "mergeOverwrite (dict `a` 1) (dict `a` 2 `b` 3)",
        "mergeOverwrite (dict `a` 1) (dict `a` 0)",
        "mergeOverwrite (dict `a` (dict `x` 1)) (dict `a` (dict `y` 2))",
        "mergeOverwrite (dict `a` (dict `x` 1)) (dict `a` 2)",
        "mergeOverwrite (dict `a` 1) (dict `a` nil)",
        "mergeOverwrite (dict `a` 1) (dict `a` ``)",
    ],
    "mustMerge": ["mustMerge (dict `a` 1) (dict `b` 2)", "mustMerge (dict) 1"],
    "mustMergeOverwrite": ["mustMergeOverwrite (dict `a` 1) (dict `a` 2)"],
    "deepCopy": [
        "deepCopy .map",
        "deepCopy .list | toJson",
        "deepCopy 1",
        "deepCopy nil",
        "$a := dict `x` (dict `y` 1) }}{{ $b := deepCopy $a }}"
        "{{ $_ := set $b.x `y` 2 }}{{ $a }}{{ $b",
    ],
    "mustDeepCopy": ["mustDeepCopy .list", "mustDeepCopy .none"],
}
