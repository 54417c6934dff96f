// Renders templates as Go and sprig do, one JSON object per line in and out, so that a test can
// compare. {"functions":true} asks for the names of sprig's functions instead.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

type question struct {
	Functions bool   `json:"functions"`
	Template  string `json:"template"`
	Values    any    `json:"values"`
}

type answer struct {
	Functions []string `json:"functions,omitempty"`
	Text      *string  `json:"text,omitempty"`
	Error     string   `json:"error,omitempty"`
	Line      int      `json:"line,omitempty"`
	Column    int      `json:"column,omitempty"`
}

const name = "section"

// A place in the source: Go tells the bytes of the line that are before it, and nothing about
// columns where the source could not even be read.
var place = regexp.MustCompile(`template: ` + name + `:(\d+):(?:(\d+):)? `)

var start = regexp.MustCompile(`unclosed action started at ` + name + `:(\d+)$`)

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var asked question
		reader := json.NewDecoder(bytes.NewReader(line))
		reader.UseNumber()
		if err := reader.Decode(&asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(answerTo(asked)); err != nil {
			log.Fatal(err)
		}
		if err := out.Flush(); err != nil {
			log.Fatal(err)
		}
	}
}

func answerTo(asked question) answer {
	if asked.Functions {
		names := []string{}
		for known := range sprig.TxtFuncMap() {
			names = append(names, known)
		}
		slices.Sort(names)
		return answer{Functions: names}
	}
	text, err := render(asked.Template, numbered(asked.Values))
	if err == nil {
		return answer{Text: &text}
	}
	told := answer{Error: err.Error()}
	// Of an action that does not end, the beginning matters.
	if began := start.FindStringSubmatch(told.Error); began != nil {
		told.Line, _ = strconv.Atoi(began[1])
		return told
	}
	// What a function renders fails inside: the last place is where it happened.
	if places := place.FindAllStringSubmatch(told.Error, -1); places != nil {
		last := places[len(places)-1]
		told.Line, _ = strconv.Atoi(last[1])
		if last[2] != "" {
			before, _ := strconv.Atoi(last[2])
			told.Column = before + 1
		}
	}
	return told
}

func render(source string, values any) (string, error) {
	root := template.New(name).Option("missingkey=error").Funcs(sprig.TxtFuncMap())
	root.Funcs(beside(root))
	if _, err := root.Parse(source); err != nil {
		return "", err
	}
	var text strings.Builder
	err := root.Execute(&text, values)
	return text.String(), err
}

// The functions that Helm has beside sprig's, as its documentation describes them.
func beside(root *template.Template) template.FuncMap {
	const deepest = 100
	depth := 0
	return template.FuncMap{
		"include": func(called string, data any) (string, error) {
			if depth == deepest {
				return "", errors.New("too deep")
			}
			depth++
			defer func() { depth-- }()
			var text strings.Builder
			err := root.ExecuteTemplate(&text, called, data)
			return text.String(), err
		},
		"required": func(message string, value any) (any, error) {
			if value == nil || value == "" {
				return value, errors.New(message)
			}
			return value, nil
		},
		"toYaml": func(value any) (string, error) {
			text, err := yaml.Marshal(value)
			return strings.TrimSuffix(string(text), "\n"), err
		},
		"fromYaml": func(text string) map[string]any {
			values := map[string]any{}
			if err := yaml.Unmarshal([]byte(text), &values); err != nil {
				values["Error"] = err.Error()
			}
			return values
		},
		"fromYamlArray": func(text string) []any {
			values := []any{}
			if err := yaml.Unmarshal([]byte(text), &values); err != nil {
				values = []any{err.Error()}
			}
			return values
		},
		"fromJsonArray": func(text string) []any {
			values := []any{}
			if err := json.Unmarshal([]byte(text), &values); err != nil {
				values = []any{err.Error()}
			}
			return values
		},
	}
}

// numbered makes whole numbers ints, as they are in a source: JSON would make every one a float.
func numbered(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
			return int(whole)
		}
		number, err := value.Float64()
		if err != nil {
			return math.NaN()
		}
		return number
	case []any:
		for index, item := range value {
			value[index] = numbered(item)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = numbered(item)
		}
	}
	return value
}
