"""Cases of sprig's functions of semantic versions."""

from collections.abc import Mapping, Sequence
from itertools import product

CASES: Mapping[str, Sequence[str]] = {
    "semver": [
        "(semver `1.2.3-alpha.1+123`).Major",
        "semver `v1.2`",
        "semver `1`",
        "semver `x`",
        "(semver `1.2.3-a+b`).Prerelease",
        "(semver `1.2.3-a+b`).Metadata",
        "(semver `v1.2`).Original",
        "(semver `1.2.3`).Minor",
        "(semver `1.2.3`).IncPatch",
        "(semver `1.2.3`).Compare (semver `1.2.4`)",
        "semver `01.2.3`",
        "semver `1.2.3-01`",
        "(semver `1.2.3`).String",
    ],
    "semverCompare": [
        f"semverCompare `{rule}` `{number}`"
        for rule, number in product(
            (
                "^1.2.0",
                "~1.2",
                ">=1.2.3, <2",
                "1.2.x",
                "*",
                "!=1.2.3",
                "1.2 - 1.4.5",
                "^0.2.3",
                "^0",
                ">1.2.3-alpha || 3",
                "~1",
                "=1.2.3",
                "x",
                "^1.2.x",
                "<=1",
                ">1.2",
                "=>1.2.3",
                "~>1.2.3",
                ">=1.2.3 <1.5",
            ),
            ("1.2.3", "1.4.9", "2.0.0", "1.2.4-beta.1", "0.2.9", "v3", "bad"),
        )
    ],
}
