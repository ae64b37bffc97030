// Command schemas writes the JSON schemas that kubeconform checks manifests with:
// those of Kubernetes from its OpenAPI document, and those of the given CRDs.
// They are strict, a field that the API does not have is an error, and making
// them needs no network.
//
//	schemas DIRECTORY SWAGGER_JSON CRD_YAML...
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// schema is a JSON schema, or a part of one.
type schema = map[string]any

type groupVersionKind struct{ group, version, kind string }

const definitionPrefix = "#/definitions/"

// Types whose JSON has more forms than OpenAPI 2 can say.
var manyForms = map[string]schema{
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": []any{"string", "integer"}},
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   {"type": []any{"string", "number"}},
	"io.k8s.apimachinery.pkg.apis.meta.v1.Time":       {"type": []any{"string", "null"}},
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: schemas DIRECTORY SWAGGER_JSON CRD_YAML...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func run(directory, swagger string, crds []string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	if err := writeKubernetes(directory, swagger); err != nil {
		return fmt.Errorf("%s: %w", swagger, err)
	}
	for _, crd := range crds {
		if err := writeCRD(directory, crd); err != nil {
			return fmt.Errorf("%s: %w", crd, err)
		}
	}
	return nil
}

func writeKubernetes(directory, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document struct {
		Definitions map[string]schema `json:"definitions"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		return err
	}
	for name, definition := range document.Definitions {
		makeStrict(definition)
		if forms, ok := manyForms[name]; ok {
			document.Definitions[name] = forms
		}
	}
	for _, definition := range document.Definitions {
		kind, ok := kindOf(definition)
		if !ok {
			continue
		}
		whole := maps.Clone(definition)
		whole["definitions"] = reachable(definition, document.Definitions)
		if err := write(directory, kind, whole); err != nil {
			return err
		}
	}
	return nil
}

// kindOf is the kind whose objects the definition describes, if it does. Options
// of requests, such as DeleteOptions, belong to every group and are no objects.
func kindOf(definition schema) (groupVersionKind, bool) {
	listed, _ := definition["x-kubernetes-group-version-kind"].([]any)
	if len(listed) != 1 {
		return groupVersionKind{}, false
	}
	kind, _ := listed[0].(schema)
	text := func(key string) string { value, _ := kind[key].(string); return value }
	return groupVersionKind{group: text("group"), version: text("version"), kind: text("kind")}, true
}

// reachable is what the definition refers to, directly and by way of others.
func reachable(definition schema, all map[string]schema) map[string]schema {
	found := make(map[string]schema)
	var visit func(any)
	visit = func(node any) {
		switch node := node.(type) {
		case schema:
			if reference, ok := node["$ref"].(string); ok {
				name := strings.TrimPrefix(reference, definitionPrefix)
				if _, seen := found[name]; !seen {
					found[name] = all[name]
					visit(all[name])
				}
			}
			for _, child := range node {
				visit(child)
			}
		case []any:
			for _, child := range node {
				visit(child)
			}
		}
	}
	visit(definition)
	return found
}

// makeStrict refuses fields that are not listed wherever there is a list, and
// drops what takes room and decides nothing.
func makeStrict(node schema) {
	delete(node, "description")
	properties, listed := node["properties"].(schema)
	_, open := node["additionalProperties"]
	if listed && !open && !flag(node, "x-kubernetes-preserve-unknown-fields") {
		node["additionalProperties"] = false
	}
	if flag(node, "x-kubernetes-int-or-string") {
		delete(node, "anyOf")
		node["type"] = []any{"string", "integer"}
	}
	for _, property := range properties {
		strictChild(property)
	}
	strictChild(node["items"])
	strictChild(node["additionalProperties"])
}

func flag(node schema, name string) bool {
	set, _ := node[name].(bool)
	return set
}

func strictChild(child any) {
	if child, ok := child.(schema); ok {
		makeStrict(child)
	}
}

func writeCRD(directory, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd struct {
		Spec struct {
			Group string `json:"group"`
			Names struct {
				Kind string `json:"kind"`
			} `json:"names"`
			Versions []struct {
				Name   string `json:"name"`
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(content, &crd); err != nil {
		return err
	}
	if len(crd.Spec.Versions) == 0 {
		return errors.New("is not a CRD")
	}
	for _, version := range crd.Spec.Versions {
		makeStrict(version.Schema.OpenAPIV3Schema)
		kind := groupVersionKind{group: crd.Spec.Group, version: version.Name, kind: crd.Spec.Names.Kind}
		if err := write(directory, kind, version.Schema.OpenAPIV3Schema); err != nil {
			return err
		}
	}
	return nil
}

// write names the file as kubeconform looks for it: the kind, the first part of
// the group, and the version.
func write(directory string, kind groupVersionKind, content schema) error {
	name := kind.kind
	if kind.group != "" {
		first, _, _ := strings.Cut(kind.group, ".")
		name += "-" + first
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		return err
	}
	file := filepath.Join(directory, strings.ToLower(name+"-"+kind.version)+".json")
	return os.WriteFile(file, encoded, 0o644)
}
