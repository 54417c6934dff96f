"""Cases of sprig's functions of strings, paths, digests and encodings."""

from collections.abc import Mapping, Sequence
from itertools import product

CASES: Mapping[str, Sequence[str]] = {
    "hello": ["hello", "hello 1"],
    "abbrev": [*(f"abbrev {n} .text" for n in (0, 3, 4, 5, 20, 100, -1)), "abbrev 6 .accents"],
    "abbrevboth": [
        f"abbrevboth {m} {n} .text" for m, n in product((0, 3, 5, 20, 40), (3, 6, 7, 20))
    ],
    "trunc": [f"trunc {n} .text" for n in (0, 3, 100, -3, -100)]
    + ["trunc 5 .accents | printf `%q`"],
    "trim": ["trim `  a b\t\n`", "trim `` | quote", "trim 1", "trim .none"],
    "upper": ["upper .accents", "upper `ßŉ`", "upper .count"],
    "lower": ["lower .accents", "lower `İÀ`", "lower .list"],
    "title": ["title .text", "title `o'neil x-y a_b 1st`", "title .accents"],
    "untitle": ["untitle `The Quick Éa`", "untitle ``"],
    "substr": [
        *(
            f"substr {a} {b} .text"
            for a, b in ((0, 3), (3, 0), (-1, 3), (2, -1), (2, 999), (999, 1))
        ),
        "substr 0 1 .accents",
    ],
    "repeat": ["repeat 3 .name", "repeat 0 .name | quote", "repeat -1 .name", "repeat `2` .name"],
    "trimall": ["trimall `$` `$5.00$`", "trimall `` ` a `"],
    "trimAll": ["trimAll `-+` `+-a-b+-`", "trimAll `` .text"],
    "trimSuffix": ["trimSuffix `b` .name", "trimSuffix `x` .name", "trimSuffix .none .name"],
    "trimPrefix": ["trimPrefix `d` .name", "trimPrefix `db` .name | quote"],
    "nospace": ["nospace .text", "nospace `a\u00a0b\u2003c é`", "nospace .accents"],
    "initials": ["initials .text", "initials .accents", "initials ` `"],
    "swapcase": ["swapcase .text", "swapcase .accents", "swapcase `aB 1c ǅx`"],
    "snakecase": [
        f"snakecase `{word}`"
        for word in (
            "FirstName",
            "HTTPServer",
            "NoHTTPS",
            "GO_PATH",
            "GO PATH",
            "GO-PATH",
            "http2xx",
        )
    ]
    + [
        "snakecase `HTTP20xOK`",
        "snakecase `Duration2m3s`",
        "snakecase `Bld4Floor3rd`",
        "snakecase `É1À`",
    ],
    "camelcase": [
        f"camelcase `{word}`"
        for word in (
            "http_server",
            "_camel_case",
            "no_https",
            "_complex__case_",
            "all",
            "GOLANG_IS",
            "a-b c",
        )
    ]
    + ["camelcase ``", "camelcase .text", "camelcase `éa_ÀB`"],
    "kebabcase": [
        f"kebabcase `{word}`" for word in ("FirstName", "HTTPServer", "a b_c", "x1y2", "")
    ],
    "wrap": [f"wrap {n} .text" for n in (1, 10, 80, 0, -1)]
    + ["wrap 5 `a  b   longword c`", "wrap 4 .accents"],
    "wrapWith": [f"wrapWith {n} `|` .text" for n in (1, 5, 10, 0)] + ["wrapWith 5 `` `longword x`"],
    "contains": ["contains `b` .name", "contains `` .name", "contains .name `d`"],
    "hasPrefix": ["hasPrefix `d` .name", "hasPrefix `x` .name"],
    "hasSuffix": ["hasSuffix `b` .name", "hasSuffix `` .name"],
    "quote": [
        "quote .text .count .none .list .map",
        "quote .accents",
        r'quote "\x00\x7f\u2028\ufeff\u200b\t\\\"' "'\"",
        "quote",
        "quote nil",
        "quote .ratio .yes",
    ],
    "squote": ["squote .name .count .none", "squote `a'b`", "squote", "squote .list"],
    "cat": ["cat .name .count .none .list", "cat", "cat `` `a`", "cat .none"],
    "indent": [
        "indent 2 .text",
        "indent 0 .text",
        "indent -1 .text",
        "indent 2 ``",
        "indent 2 `a\n\nb\n`",
    ],
    "nindent": ["nindent 2 .text", "nindent 0 ``", "nindent -1 .text"],
    "replace": ["replace ` ` `-` .text", "replace `` `-` .name", "replace `x` `y` .name"],
    "plural": [f"plural `one` `many` {n}" for n in (0, 1, 2, -1)] + ["plural `one` `many` `1`"],
    "sha1sum": ["sha1sum .text", "sha1sum 1"],
    "sha256sum": ["sha256sum .text", "sha256sum ``"],
    "sha512sum": ["sha512sum .accents"],
    "adler32sum": ["adler32sum .text", "adler32sum ``"],
    "toString": [
        *(
            f"toString .{n}"
            for n in ("text", "count", "ratio", "million", "none", "list", "map", "yes", "huge")
        ),
        "toString nil",
        "toString",
        "toString (toStrings .list)",
    ],
    "toStrings": [
        "toStrings .list",
        "toStrings .name",
        "toStrings .none",
        "toStrings nil",
        "toStrings .map",
    ],
    "join": [
        "join `,` .list",
        "join `,` .names",
        "join `-` .name",
        "join `,` .none",
        "join `,` .map",
        "join 1 .list",
    ],
    "sortAlpha": [
        "sortAlpha .names",
        "sortAlpha .list",
        "sortAlpha .none",
        "sortAlpha .name",
        "sortAlpha .numbers",
    ],
    "split": [
        "split ` ` .text",
        "(split `b` .name)._0",
        "split `` .name",
        "(split `,` `a,b`)._1",
        "(split `,` `a`)._9",
    ],
    "splitList": [
        "splitList ` ` .text",
        "splitList `` .accents",
        "splitList `x` ``",
        "splitList `,` `a,,b` | toJson",
    ],
    "splitn": [f"splitn ` ` {n} .text" for n in (-1, 0, 1, 2, 99)] + ["splitn `` 2 .accents"],
    "base": [f"base `{path}`" for path in ("a/b.c", "/", "", "a/b/", "..")],
    "dir": [f"dir `{path}`" for path in ("a/b.c", "/", "", "a/b/", "a", "/a//b/../c", "a/../..")],
    "clean": [
        f"clean `{path}`" for path in ("a//b/./c/..", "", "/..", "../a", "a/../../b", "/a/b/")
    ],
    "ext": [f"ext `{path}`" for path in ("a/b.c", "a.b/c", ".x", "a.tar.gz", "a.", "")],
    "isAbs": ["isAbs `/a`", "isAbs `a`", "isAbs ``"],
    "osBase": [f"osBase `{path}`" for path in ("a/b.c", "/", "", "a/b//")],
    "osDir": [f"osDir `{path}`" for path in ("a/b.c", "/", "", "/a//b/../c")],
    "osClean": [f"osClean `{path}`" for path in ("a//b/./c/..", "", "/..", "//a")],
    "osExt": ["osExt `a/b.c`", "osExt `a.b/c`"],
    "osIsAbs": ["osIsAbs `/a`", "osIsAbs `C:\\a`"],
    "b64enc": ["b64enc .accents", "b64enc ``", "b64enc 1"],
    "b64dec": [
        "b64dec `R3LDvA==`",
        "b64dec `R3L`",
        "b64dec `!`",
        "b64dec ``",
        "b64dec `R3LD\nvA==`",
        "b64dec `R3LDvA`",
    ],
    "b32enc": ["b32enc .accents", "b32enc `a`"],
    "b32dec": ["b32dec `ME======`", "b32dec `me======`", "b32dec `ME`", "b32dec ``"],
    "derivePassword": [
        f"derivePassword {n} `{kind}` `secret` `me` `site.example`"
        for n, kind in product(
            (1, 2), ("maximum", "long", "medium", "short", "basic", "pin", "odd")
        )
    ],
}
