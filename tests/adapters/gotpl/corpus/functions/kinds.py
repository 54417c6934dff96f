"""Cases of sprig's functions that tell of what kind a value is."""

from collections.abc import Mapping, Sequence

OF_EACH_KIND = (
    "1",
    "1.5",
    "`a`",
    "true",
    ".list",
    ".map",
    "nil",
    "'a'",
    "(add 1 2)",
    "(until 2)",
)
CASES: Mapping[str, Sequence[str]] = {
    "kindOf": [
        f"kindOf {n}"
        for n in (
            *OF_EACH_KIND,
            ".none",
            "(int 1)",
            "(ceil 1.2)",
            "1i",
        )
    ],
    "kindIs": [
        "kindIs `int` 1",
        "kindIs `map` .map",
        "kindIs `invalid` .none",
        "kindIs `int64` (add 1 1)",
        "kindIs `slice` .list",
    ],
    "typeOf": [
        f"typeOf {n}"
        for n in (
            *OF_EACH_KIND,
            "(toStrings .list)",
            "(split `,` `a`)",
            "(splitList `,` `a`)",
            "(int `1`)",
            "(chunk 1 .list)",
            "(float64 1)",
            "(duration 1)",
            "(toDate `2006` `2024`)",
            "(semver `1.2.3`)",
            "(fromJson `1`)",
            "(urlParse `http://x`)",
            "(list 1)",
            "(dict)",
            "(sortAlpha .names)",
            "(keys .map)",
            "(regexFindAll `a` `a` 1)",
            "(round 1 1)",
            "(len .list)",
            "(atoi `1`)",
            "(toDecimal `7`)",
            "(pluck `a` .map)",
            "(ternary 1 2 true)",
            "(seq 3)",
            "(adler32sum `a`)",
            "(rest .names)",
            "(index .names 0)",
            "(values .map)",
            "(deepCopy .map)",
            "(dig `a` 1 .map)",
        )
    ],
    "typeIs": [
        "typeIs `int` 1",
        "typeIs `[]interface {}` .list",
        "typeIs `map[string]interface {}` .map",
        "typeIs `string` .count",
    ],
    "typeIsLike": [
        "typeIsLike `*semver.Version` (semver `1.2.3`)",
        "typeIsLike `semver.Version` (semver `1.2.3`)",
        "typeIsLike `int` 1",
    ],
    "deepEqual": [
        "deepEqual .list (list 1 `two` 3.5 nil true)",
        "deepEqual 1 1.0",
        "deepEqual .map .map",
        "deepEqual 1 (add 0 1)",
        "deepEqual nil .none",
        "deepEqual (list) .empty",
        "deepEqual (until 2) (list 0 1)",
    ],
}
