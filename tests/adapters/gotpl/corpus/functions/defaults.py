"""Cases of sprig's functions that choose between values, and of those of JSON."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "default": [
        "default `x` .none",
        "default `x` ``",
        "default `x` 0",
        "default `x` .name",
        "default `x`",
        "default `x` .hollow",
        "default `x` false",
        "default nil 0",
        ".none | default .zero",
        "default 1 2 3",
    ],
    "empty": [
        f"empty {n}"
        for n in (
            ".none",
            "0",
            "0.0",
            "``",
            ".empty",
            ".hollow",
            "false",
            "1",
            ".list",
            "nil",
            "`0`",
        )
    ],
    "coalesce": [
        "coalesce 0 `` .none `x` 1",
        "coalesce",
        "coalesce 0 nil",
        "coalesce .empty .list",
    ],
    "ternary": [
        "ternary `a` `b` true",
        "ternary `a` `b` false",
        "true | ternary `a` `b`",
        "ternary `a` `b` 1",
        "ternary nil 1 true",
    ],
    "fail": ["fail `no`", "fail 1", "fail"],
    "fromJson": [
        'fromJson `{"a":[1,2.5,"x",null,true]}`',
        "fromJson `x`",
        "fromJson `1e3`",
        '(fromJson `{"a":1}`).a | kindOf',
        "fromJson `[1,]`",
        "fromJson ` [] `",
        "fromJson `NaN`",
        'fromJson `{"a":1,"a":2}`',
        "fromJson `12345678901234567890`",
    ],
    "mustFromJson": [
        "mustFromJson `[1]`",
        "mustFromJson `[`",
        "mustFromJson `1 2`",
        "mustFromJson ``",
    ],
    "toJson": [
        *(
            f"toJson .{n}"
            for n in (
                "map",
                "list",
                "accents",
                "html",
                "huge",
                "tiny",
                "million",
                "large",
                "none",
                "ratio",
            )
        ),
        'toJson "\\u2028\\x01\\x7f\\b\\f"',
        "toJson (toStrings .list)",
        "toJson (list)",
        "toJson (split `,` `a,b`)",
    ],
    "mustToJson": [
        "mustToJson (list (semver `v1.2`) (toDate `2006` `2024`))",
        "mustToJson .map",
        "mustToJson .none",
    ],
    "toPrettyJson": [
        "toPrettyJson .map",
        "toPrettyJson .list",
        "toPrettyJson .empty",
        "toPrettyJson .hollow",
        "toPrettyJson .people",
    ],
    "mustToPrettyJson": ["mustToPrettyJson .nested"],
    "toRawJson": ["toRawJson .html", "toRawJson .map", 'toRawJson "\\u2028"'],
    "mustToRawJson": ["mustToRawJson .html", "mustToRawJson .list"],
}
