"""Cases of sprig's functions of numbers."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "atoi": [
        f"atoi `{n}`"
        for n in ("12", "-3", "+4", "1.5", "x", "", "0x10", "1_000", " 1", "99999999999999999999")
    ]
    + ["atoi 1"],
    "int": [
        f"int {n}"
        for n in (
            "1",
            "2.9",
            "-2.9",
            "`12`",
            "`0x1f`",
            "`012`",
            "`1.0`",
            "`1.5`",
            "true",
            "nil",
            "1e30",
            ".list",
        )
    ],
    "int64": [
        f"int64 {n}"
        for n in (
            "1",
            "2.9",
            "`-5`",
            "`x`",
            "false",
            ".none",
            "`9223372036854775807`",
            "`9223372036854775808`",
            "`1_0`",
            "`08`",
        )
    ],
    "float64": [
        f"float64 {n}"
        for n in (
            "1",
            "`2.50`",
            "`x`",
            "true",
            ".none",
            "`1e400`",
            "`0x1p4`",
            "`inf`",
            "`NaN`",
            "`1_0.5`",
            ".large",
        )
    ],
    "toDecimal": [
        f"toDecimal {n}" for n in ("`777`", "755", "`8`", "`-17`", "0o17", "1.5", ".none")
    ],
    "add": [
        "add 1 2 3",
        "add",
        "add `4` 1.9",
        "add .large .none",
        "add 9223372036854775807 1",
        "add .list 1",
    ],
    "add1": ["add1 1", "add1 `x`", "add1 9223372036854775807", "add1 .ratio"],
    "sub": ["sub 1 3", "sub `10` 4", "sub 1", "sub 1 2 3"],
    "div": ["div 7 2", "div -7 2", "div 7 -2", "div 1 0", "div 7.9 2.9", "div `9` 3"],
    "mod": ["mod 7 3", "mod -7 3", "mod 7 -3", "mod 7 0"],
    "mul": ["mul 2 3 4", "mul 5", "mul", "mul 9223372036854775807 2", "mul .ratio 2"],
    "max": ["max 1 3 2", "max 1", "max", "max -1 `5`", "max 1.9 1"],
    "biggest": ["biggest 1 3 2", "biggest 0 -3"],
    "min": ["min 1 3 -2", "min 4", "min", "min `x` 1"],
    "addf": [
        "addf 0.1 0.2",
        "addf 1 2 3",
        "addf",
        "addf `1.5` 1",
        "addf 1e308 1e308",
        "addf `inf` 1",
    ],
    "add1f": ["add1f 0.1", "add1f 1", "add1f `x`", "add1f 1e16"],
    "subf": ["subf 0.3 0.1", "subf 1", "subf 5 1 1.5", "subf"],
    "divf": [
        "divf 1 3",
        "divf 10 4 5",
        "divf 1 0",
        "divf 2",
        "divf 0.1 3",
        "divf -1 3",
        "divf 1e-20 3",
    ],
    "mulf": ["mulf 0.1 3", "mulf 1.5 1.5 2", "mulf 2", "mulf", "mulf 1e200 1e200"],
    "maxf": ["maxf 1 2.5 2", "maxf 1", "maxf -0.0 0.0", "maxf", "maxf `NaN` 1"],
    "minf": ["minf 1 2.5 -2", "minf 3.0", "minf `x` 1"],
    "ceil": [f"ceil {n}" for n in ("1.2", "-1.2", "`3.01`", "2", "1e30", ".none", "-0.5")],
    "floor": [f"floor {n}" for n in ("1.8", "-1.2", "`3.99`", "2", "1e30", "0.5")],
    "round": [
        f"round {n}"
        for n in (
            "1.2345 2",
            "1.5 0",
            "2.5 0",
            "-1.5 0",
            "1.25 1",
            "123.5 -1",
            "`1.005` 2",
            "1.4 0 0.3",
            "3 1",
            "1.1",
        )
    ],
    "until": [f"until {n}" for n in ("3", "0", "-3", "`3`", ".count", ".ratio")],
    "untilStep": [
        f"untilStep {n}" for n in ("0 10 3", "3 6 0", "10 0 -4", "0 5 -1", "5 5 1", "5 0 1")
    ],
    "seq": [
        f"seq {n}"
        for n in (
            "",
            "3",
            "0",
            "-3",
            "2 5",
            "5 2",
            "0 2 10",
            "10 -3 0",
            "0 -2 10",
            "1 2 3 4",
            "5 1 0",
            "1 0 5",
            "2 2",
        )
    ],
}
