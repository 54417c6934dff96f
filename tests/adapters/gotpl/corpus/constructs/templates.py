"""Templates that are defined and called."""

from collections.abc import Sequence

SOURCES: Sequence[str] = (
    "{{ define `x` }}[{{ . }}]{{ end }}{{ template `x` .name }}{{ template `x` 1 }}",
    "{{ template `x` }}{{ define `x` }}{{ print . }}{{ end }}",
    "{{ template `none` . }}",
    "{{ block `x` .name }}<{{ . }}>{{ end }}{{ template `x` 2 }}",
    "{{ define `x` }}1{{ end }}{{ define `x` }}2{{ end }}{{ template `x` }}",
    "{{ define `x` }} {{ end }}{{ define `x` }}2{{ end }}{{ template `x` }}",
    "{{ define `x` }}2{{ end }}{{ define `x` }} {{ end }}{{ template `x` }}",
    "{{ block `x` 1 }}a{{ end }}{{ define `x` }}b{{ end }}",
    "{{ define `x` }}b{{ end }}{{ block `x` 1 }}a{{ end }}",
    "{{ define `x` }}{{ template `y` . }}{{ end }}{{ define `y` }}"
    "{{ .name }}{{ end }}{{ template `x` . }}",
    "{{ define `x` }}\n{{ .nope }}{{ end }}{{ template `x` . }}",
    "{{ define `x` }}{{ $.name }}{{ end }}{{ template `x` . }}",
    "{{ define `x` }}{{ if . }}{{ sub . 1 }}{{ template `x` sub . 1 | int }}"
    "{{ end }}{{ end }}{{ template `x` 3 }}",
    "{{ define `a` }}{{ define `b` }}{{ end }}{{ end }}",
    "{{ if 1 }}{{ define `b` }}{{ end }}{{ end }}",
    "{{ define `x` }}",
    "{{ define }}{{ end }}",
    "{{ define 1 }}{{ end }}",
    "{{ define `x` 1 }}{{ end }}",
    '{{ define "q" }}q{{ end }}{{ template "q" }}',
    "{{ block `x` }}{{ end }}",
    "{{ define `x` }}a{{ else }}b{{ end }}",
    "{{ template `x` $y }}",
    "{{ define `x` }}  {{- . -}}  {{ end }}a{{ template `x` 1 }}b",
    "{{ define `` }}e{{ end }}{{ template `` }}",
    "{{ define `x` }}{{ end }}{{ template `x` . }}",
    "{{ include `x` . }}{{ define `x` }}{{ .name }}{{ end }}",
    "{{ define `x` }}{{ include `y` . }}{{ end }}{{ define `y` }}\n "
    "{{ .nope }}{{ end }}{{ include `x` . }}",
    "{{ template `x` .missing }}{{ define `x` }}{{ end }}",
    "{{ block `x` .name }}{{ .x }}{{ end }}",
    "{{ define `x` }}{{ template `x` }}{{ end }}",
    "{{ template `y` (dict `a` 1) }}{{ define `y` }}{{ .a }}{{ end }}",
)
