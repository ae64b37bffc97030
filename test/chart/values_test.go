package chart_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of values into the chart's README")

// value is one of the chart's values, as values.yaml documents it.
type value struct{ key, preset, description string }

// The table in the README is made of the comments in values.yaml.
func TestREADMEDocumentsTheValues(t *testing.T) {
	const begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
	readme := read(t, chartDir, "README.md")
	head, rest, found := strings.Cut(readme, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("README.md has no place for the table: %q and %q", begin, end)
	}
	var table strings.Builder
	table.WriteString("\n| value | default | meaning |\n|---|---|---|\n")
	for _, v := range values(t) {
		if v.description == "" {
			t.Errorf("values.yaml says nothing of %s", v.key)
		}
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", v.key, v.preset, v.description)
	}
	want := head + begin + table.String() + "\n" + end + tail
	if want == readme {
		return
	}
	if !*update {
		t.Fatal("the table in README.md is stale: run `go test ./test/chart -run TestREADME -update`")
	}
	if err := os.WriteFile(path(chartDir, "README.md"), []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaKnowsTheValues(t *testing.T) {
	schema := map[string]any{}
	if err := json.Unmarshal([]byte(read(t, chartDir, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	// Helm itself gives it to every chart.
	delete(schema["properties"].(map[string]any), "global")
	compare(t, "values.schema.json", schemaKeys(t, "", schema))
}

func TestTemplatesUseTheValues(t *testing.T) {
	used := map[string]bool{}
	reference := regexp.MustCompile(`\.Values\.([A-Za-z0-9.]+)`)
	err := filepath.WalkDir(path(chartDir, "templates"), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		for _, match := range reference.FindAllSubmatch(content, -1) {
			used[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "templates/", slices.Collect(maps.Keys(used)))
}

// Every value is set by the combination that sets everything.
func TestEverythingSetsEverything(t *testing.T) {
	everything := decode(t, read(t, chartDir, "ci", "everything-values.yaml"))[0].Object
	for _, v := range values(t) {
		at := any(everything)
		for part := range strings.SplitSeq(v.key, ".") {
			section, _ := at.(map[string]any)
			at = section[part]
		}
		// Of the two bounds only one may be set.
		if at == nil && v.key != "podDisruptionBudget.maxUnavailable" {
			t.Errorf("ci/everything-values.yaml does not set %s", v.key)
		}
	}
}

// compare tells where the keys found elsewhere differ from those of values.yaml.
func compare(t *testing.T, where string, found []string) {
	t.Helper()
	var want []string
	for _, v := range values(t) {
		want = append(want, v.key)
		if !slices.Contains(found, v.key) {
			t.Errorf("%s lacks %s, which values.yaml has", where, v.key)
		}
	}
	for _, key := range found {
		if !slices.Contains(want, key) {
			t.Errorf("%s has %s, which values.yaml lacks", where, key)
		}
	}
}

// values reads values.yaml, whose form is kept simple: a comment, then a key,
// and what belongs to a section is indented by two. A default stands on one line.
func values(t *testing.T) []value {
	t.Helper()
	line := regexp.MustCompile(`^( *)([A-Za-z0-9]+):(?: (.+))?$`)
	var (
		all      []value
		sections []string
		comment  []string
	)
	for text := range strings.SplitSeq(read(t, chartDir, "values.yaml"), "\n") {
		if words, found := strings.CutPrefix(strings.TrimSpace(text), "#"); found {
			comment = append(comment, strings.TrimSpace(words))
			continue
		}
		match := line.FindStringSubmatch(text)
		switch {
		case match == nil && text != "":
			t.Fatalf("values.yaml: %q is not of the form that this test reads", text)
		case match != nil:
			sections = append(sections[:len(match[1])/2], match[2])
			if match[3] != "" {
				all = append(all, value{strings.Join(sections, "."), match[3], strings.Join(comment, " ")})
			}
		}
		comment = nil
	}
	return all
}

// schemaKeys are the keys that a schema allows. It must allow no others.
func schemaKeys(t *testing.T, prefix string, schema map[string]any) []string {
	t.Helper()
	if open, set := schema["additionalProperties"].(bool); open || !set {
		t.Errorf("values.schema.json lets %q have any key", prefix)
	}
	var keys []string
	for name, property := range schema["properties"].(map[string]any) {
		key := strings.TrimPrefix(prefix+"."+name, ".")
		property := property.(map[string]any)
		if _, section := property["properties"]; section {
			keys = append(keys, schemaKeys(t, key, property)...)
		} else {
			keys = append(keys, key)
		}
	}
	return keys
}
