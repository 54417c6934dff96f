"""What is not as in Go, and why."""

from collections.abc import Mapping

_UNICODE = "a text is made of characters here, and half of one becomes U+FFFD at once"
_GIVEN = "a value that was not given is not in the map, and yet may be asked for"
_WORDS = "the words of a mistake are ours"
_STYLE = "all our YAML is written in one style"

DIFFERENT: Mapping[str, str] = {
    "{{ trunc 5 .accents | printf `%q` }}": _UNICODE,
    '{{ "\\xff" | printf "%x" }}': _UNICODE,
    '{{"\\xff" | printf "%x"}}': _UNICODE,
    '{{ "\\377" | printf "%q" }}': _UNICODE,
    '{{"\\377" | printf "%q"}}': _UNICODE,
    **dict.fromkeys(("{{ . }}", "{{.}}", "{{ $ }}", "{{$}}"), _GIVEN),
    **dict.fromkeys(
        ("{{ fromYaml `a` }}", "{{ fromYamlArray `a` }}", "{{ fromJsonArray `a` }}"), _WORDS
    ),
    "{{ fromJsonArray `` }}": _WORDS,
    **dict.fromkeys(
        (f"{{{{ toYaml {value} }}}}" for value in ("``", ".map", ".names", "(toStrings .list)")),
        _STYLE,
    ),
}
