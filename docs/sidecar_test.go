package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	fromfile "github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/sidecar/settings"
)

const (
	sidecarPage  = "docs/sidecar.md"
	sidecarImage = "ghcr.io/tokensync/tokensync-sidecar:"
	optionsFile  = "internal/sidecar/settings/options.go"
)

// flagsOfTheSidecar are the names of its settings, without dashes, and whether each is a
// variable alone.
func flagsOfTheSidecar(t *testing.T) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(optionsFile)), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		name, variableOnly := "", false
		for _, element := range literal.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch field, _ := pair.Key.(*ast.Ident); {
			case field == nil:
			case field.Name == "name":
				if value, ok := pair.Value.(*ast.BasicLit); ok {
					name, _ = strconv.Unquote(value.Value)
				}
			case field.Name == "variableOnly":
				variableOnly = true
			}
		}
		if name != "" {
			found[name] = variableOnly
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("found no flags in %s", optionsFile)
	}
	return found
}

// TestEveryFlagOfTheSidecarIsExplained compares the table of flags with the code, and the
// variables that any page mentions.
func TestEveryFlagOfTheSidecarIsExplained(t *testing.T) {
	var want, variables []string
	for name, variableOnly := range flagsOfTheSidecar(t) {
		variable := "TOKENSYNC_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		flag := "--" + name
		if variableOnly {
			flag = ""
		}
		want, variables = append(want, flag+" "+variable), append(variables, variable)
	}
	var got []string
	for _, row := range table(t, sidecarPage, "| flag | variable | meaning |") {
		if len(row) == 2 { // An empty first cell is trimmed away.
			row = slices.Insert(row, 0, "")
		}
		got = append(got, row[0]+" "+row[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, flag := range want {
		if !slices.Contains(got, flag) {
			t.Errorf("%s has no row for %s", sidecarPage, flag)
		}
	}
	for _, flag := range got {
		if !slices.Contains(want, flag) {
			t.Errorf("%s has a row for %s, which is no setting", sidecarPage, flag)
		}
	}
	for _, page := range pages(t) {
		for _, variable := range regexp.MustCompile(`\bTOKENSYNC_[A-Z_]*[A-Z]\b`).FindAllString(read(t, page), -1) {
			if !slices.Contains(variables, variable) {
				t.Errorf("%s mentions %s, which is no variable of the sidecar", page, variable)
			}
		}
	}
}

// TestSidecarsKnowTheirSettings reads the settings of all containers of the documentation
// and the samples that run the sidecar.
func TestSidecarsKnowTheirSettings(t *testing.T) {
	found := 0
	for _, document := range append(manifests(t), samples(t)...) {
		containers(document.content, func(container corev1.Container) {
			found++
			if _, err := settings.Parse(container.Args, environment(container)); err != nil {
				t.Errorf("%s: the container %s: %v", document.where, container.Name, err)
			}
		})
	}
	if found == 0 {
		t.Error("found no container of the sidecar")
	}
}

// environment is that of a container in a pod.
func environment(container corev1.Container) []string {
	found := []string{"KUBERNETES_SERVICE_HOST=10.96.0.1"}
	for _, variable := range container.Env {
		value := variable.Value
		if variable.ValueFrom != nil {
			value = "10.244.0.7" // The samples ask for addresses alone.
		}
		found = append(found, variable.Name+"="+value)
	}
	return found
}

// containers visits the containers of the sidecar, wherever they stand in an object.
func containers(node any, visit func(corev1.Container)) {
	switch node := node.(type) {
	case []any:
		for _, element := range node {
			containers(element, visit)
		}
	case map[string]any:
		if image, _ := node["image"].(string); strings.HasPrefix(image, sidecarImage) {
			var container corev1.Container
			if text, err := yaml.Marshal(node); err == nil && yaml.Unmarshal(text, &container) == nil {
				visit(container)
			}
			return
		}
		for _, element := range node {
			containers(element, visit)
		}
	}
}

// samples are all YAML documents of config/samples.
func samples(t *testing.T) []manifest {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config", "samples", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("samples: %q, %v", files, err)
	}
	var found []manifest
	for _, file := range files {
		where := "config/samples/" + filepath.Base(file)
		for document := range strings.SplitSeq(read(t, where), "\n---\n") {
			content := map[string]any{}
			if err := yaml.UnmarshalStrict([]byte(document), &content); err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}
			found = append(found, manifest{where: where, content: content})
		}
	}
	return found
}

// TestManifestsInConfigMaps reads the credentials that ConfigMaps of the documentation and
// the samples hold: to the API server they are a text like any other.
func TestManifestsInConfigMaps(t *testing.T) {
	found := 0
	for _, document := range append(manifests(t), samples(t)...) {
		data, _ := document.content["data"].(map[string]any)
		if document.content["kind"] != "ConfigMap" {
			continue
		}
		for key, text := range data {
			if !strings.HasSuffix(key, ".yaml") {
				continue
			}
			found++
			read, err := fromfile.Read(strings.NewReader(fmt.Sprint(text)))
			if err != nil {
				t.Errorf("%s: %s: %v", document.where, key, err)
			} else if len(read.Credentials) == 0 {
				t.Errorf("%s: %s: it holds no OAuthCredential", document.where, key)
			}
		}
	}
	if found == 0 {
		t.Error("found no manifest in a ConfigMap")
	}
}
