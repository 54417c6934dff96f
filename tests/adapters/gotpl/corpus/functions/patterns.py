"""Cases of sprig's functions of regular expressions."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "regexMatch": [
        "regexMatch `^d.$` .name",
        "regexMatch `[` .name",
        "regexMatch `(?i)DB` .name",
        "regexMatch `\\pL+` .accents",
        "regexMatch `(?P<x>a)` `a`",
        "regexMatch `a(?=b)` `ab`",
        "regexMatch `\\1` `a`",
        "regexMatch `\\bthe\\b` .text",
        "regexMatch `a{1001}` `a`",
    ],
    "mustRegexMatch": ["mustRegexMatch `^d` .name", "mustRegexMatch `[` .name"],
    "regexFind": [
        "regexFind `[a-z]+r` .text",
        "regexFind `x+` .name | quote",
        "regexFind `a|ab` `ab`",
        "regexFind `(a+)(b?)` `xaab`",
        "regexFind `[` `a`",
    ],
    "mustRegexFind": ["mustRegexFind `o.` .text", "mustRegexFind `(` .text"],
    "regexFindAll": [f"regexFindAll `o\\w` .text {n}" for n in (-1, 0, 1, 2)]
    + [
        "regexFindAll `x*` .name -1",
        "regexFindAll `z` .name -1",
        "regexFindAll `(` .name -1",
        "regexFindAll `[` .name 0",
        "regexFindAll `z` .name -1 | toJson",
    ],
    "mustRegexFindAll": ["mustRegexFindAll `[aeiou]` .text 3", "mustRegexFindAll `*` .text 3"],
    "regexReplaceAll": [
        "regexReplaceAll `a(x*)b` `-ab-axxb-` `${1}W`",
        "regexReplaceAll `a(x*)b` `-ab-axxb-` `$1W`",
        "regexReplaceAll `x*` .name `-`",
        "regexReplaceAll `(?P<n>d)` .name `${n}${n}$$`",
        "regexReplaceAll `[` .name `x`",
        "regexReplaceAll `` `é` `-`",
        "regexReplaceAll `d` .name `$2`",
        "regexReplaceAll `(?m)^` .text `> `",
    ],
    "mustRegexReplaceAll": [
        "mustRegexReplaceAll `b` .name `$0$0`",
        "mustRegexReplaceAll `(` .name `x`",
    ],
    "regexReplaceAllLiteral": [
        "regexReplaceAllLiteral `a(x*)b` `-ab-axxb-` `${1}`",
        "regexReplaceAllLiteral `(` .name ``",
    ],
    "mustRegexReplaceAllLiteral": [
        "mustRegexReplaceAllLiteral `d` .name `$1`",
        "mustRegexReplaceAllLiteral `(` .name ``",
    ],
    "regexSplit": [f"regexSplit `o` .text {n}" for n in (-1, 0, 1, 2)]
    + [
        "regexSplit `` .name -1",
        "regexSplit `z+` `pizza` -1",
        "regexSplit `(` .name -1",
        "regexSplit `a` `` -1",
    ],
    "mustRegexSplit": ["mustRegexSplit `z+` `pizza` 2", "mustRegexSplit `(` .name 1"],
    "regexQuoteMeta": ["regexQuoteMeta `1.2.3*[a](b){c}^$|\\+?-`", "regexQuoteMeta .accents"],
}
