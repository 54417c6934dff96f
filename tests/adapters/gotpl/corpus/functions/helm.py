"""Cases of Helm's functions, which stand beside sprig's."""

from collections.abc import Mapping, Sequence

CASES: Mapping[str, Sequence[str]] = {
    "include": [
        "define `x` }}[{{ . }}]{{ end }}{{ include `x` .name | upper",
        "include `none` .",
        "include `section`",
        "define `x` }}{{ fail `no` }}{{ end }}{{ include `x` .",
    ],
    "required": [
        "required `give` .name",
        "required `give` .none",
        "required `give` ``",
        "required `give` 0",
        "required `give` .empty",
    ],
    "toYaml": [
        "toYaml .numbers | fromYamlArray",
        "toYaml .map | fromYaml",
        "toYaml .name",
        "toYaml 1",
        "toYaml true",
        "toYaml .text | quote",
        "toYaml .none",
        "toYaml .hollow",
        "toYaml .empty",
        "toYaml 2.5",
    ],
    "fromYaml": [
        "fromYaml `a: 1`",
        "fromYaml `a: [1, {b: c}]` | toJson",
        "(fromYaml `a: 1`).a | kindOf",
        "fromYaml ``",
        "fromYaml `a: 1.5\nb: yes\nc: null` | toJson",
    ],
    "fromYamlArray": [
        "fromYamlArray `[1, a, null]`",
        "fromYamlArray `- a: 1` | toJson",
        "fromYamlArray ``",
    ],
    "fromJsonArray": [
        'fromJsonArray `[1, "a", null]`',
        "fromJsonArray `[]`",
        "fromJsonArray `[1.5e3]` | toJson",
    ],
}
