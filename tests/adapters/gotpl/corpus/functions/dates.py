"""Cases of sprig's functions of dates that are given, and not asked for."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "toDate": [
        "toDate `2006-01-02` `2024-02-29`",
        "toDate `2006-01-02` `x`",
        "toDate `2006-01-02 15:04:05 -0700` `2024-02-29 10:11:12 +0530`",
    ],
    "mustToDate": [
        "mustToDate `2006-01-02` `2024-02-29`",
        "mustToDate `2006-01-02` `2024-02-30`",
        "mustToDate `2006` ``",
    ],
    "unixEpoch": [
        "unixEpoch (toDate `2006-01-02` `2024-02-29`)",
        "unixEpoch 1",
        "unixEpoch (toDate `2006-01-02` `1960-01-01`)",
    ],
    "duration": [
        "duration `95`",
        "duration 95",
        "duration `3600`",
        "duration `x`",
        "duration `-1`",
        "duration 1.5",
        "duration ``",
    ],
    "mustDateModify": [
        "mustDateModify `-1.5h` (toDate `2006-01-02` `2024-02-29`)",
        "mustDateModify `x` (toDate `2006-01-02` `2024-02-29`)",
        "mustDateModify `1h` 1",
    ],
    "must_date_modify": ["must_date_modify `24h` (toDate `2006-01-02` `2024-02-28`)"],
}
