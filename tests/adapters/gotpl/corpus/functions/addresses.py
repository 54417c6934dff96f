"""Cases of sprig's functions of addresses."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "urlParse": [
        f"urlParse `{url}`"
        for url in (
            "http://admin:secret@server.com:8080/api?list=false#anchor",
            "mailto:a@b",
            "/a%20b?c",
            "//x",
            "",
            "http://[::1]:80/",
            "http://a b/",
            "http://x/%zz",
            "x://h?q#f%20g",
            ":x",
            "1http://x",
            "http://h:port",
            "HTTP://X/a//b",
            "http://x/a b",
            "http://x?a b",
        )
    ],
    "urlJoin": [
        "urlJoin (dict `scheme` `http` `host` `h:80` `path` `/a b` `query` `q=1` `fragment` `f g`"
        " `userinfo` `u:p`)",
        "urlJoin (dict `path` `a:b`)",
        "urlJoin (urlParse `http://u@x/p?q#f`)",
        "urlJoin (dict `opaque` `o` `scheme` `s`)",
        "urlJoin (dict `host` 1)",
        "urlJoin (dict)",
        "urlJoin (dict `host` `h` `path` `p`)",
        "urlJoin (dict `userinfo` `a b:c@d` `host` `h`)",
    ],
}
