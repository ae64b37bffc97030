package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// prefix is that of the annotations which describe a provider.
const prefix = "tokensync.dev/"

// entry is a provider of the catalog.
type entry struct {
	provider v1alpha1.ClusterOAuthProvider
	// about is the comment at the top of the manifest, by paragraph.
	about []string
	// example is a credential, in YAML.
	example string
}

func (e *entry) note(name string) string { return e.provider.Annotations[prefix+name] }

// grants are the grant types of the endpoint.
func (e *entry) grants() []string {
	return strings.FieldsFunc(e.note("catalog-grants"), func(r rune) bool { return r == ',' || r == ' ' })
}

// read reads all providers, sorted by name.
func read(directory string) ([]entry, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var entries []entry
	var wrong []error
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		e, err := readEntry(file)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", filepath.Base(file), err))
			continue
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.provider.Name, b.provider.Name) })
	return entries, errors.Join(append(wrong, examplesOf(entries, directory))...)
}

func readEntry(file string) (entry, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return entry{}, err
	}
	e, err := parse(string(content), strings.TrimSuffix(filepath.Base(file), ".yaml"))
	if err != nil {
		return entry{}, err
	}
	example, err := os.ReadFile(filepath.Join(filepath.Dir(file), "examples", filepath.Base(file)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e, nil
	case err != nil:
		return entry{}, err
	}
	e.example = string(example)
	return e, e.checkExample()
}

// checkExample demands a credential that refers to the provider.
func (e *entry) checkExample() error {
	credential := &v1alpha1.OAuthCredential{}
	if err := yaml.UnmarshalStrict([]byte(e.example), credential); err != nil {
		return fmt.Errorf("its example: %w", err)
	}
	want := v1alpha1.ProviderReference{Kind: v1alpha1.KindClusterOAuthProvider, Name: e.provider.Name}
	ref := credential.Spec.ProviderRef
	if credential.Kind != "OAuthCredential" || ref == nil || ref.Kind != want.Kind || ref.Name != want.Name {
		return errors.New("its example is no OAuthCredential that refers to it")
	}
	for _, name := range variables(&e.provider.Spec) {
		if _, set := ref.Variables[name]; !set {
			return fmt.Errorf("its example lacks the variable %s", name)
		}
	}
	return nil
}

// parse reads the manifest of the provider called name.
func parse(content, name string) (entry, error) {
	e := entry{about: paragraphs(content)}
	if strings.Contains(content, "\n---") {
		return e, errors.New("holds more than one object: the chart would drop the others")
	}
	if err := yaml.UnmarshalStrict([]byte(content), &e.provider); err != nil {
		return e, err
	}
	return e, e.check(name)
}

// check holds an entry to the rules of the catalog.
func (e *entry) check(name string) error {
	spec := &e.provider.Spec
	evidence := []string{"verified", "reported", "memory"}
	switch {
	case e.provider.Kind != "ClusterOAuthProvider" || e.provider.APIVersion != v1alpha1.GroupVersion.String():
		return errors.New("is no ClusterOAuthProvider of " + v1alpha1.GroupVersion.String())
	case e.provider.Name != name:
		return fmt.Errorf("names its object %q: file and object are called the same", e.provider.Name)
	case len(e.about) < 2:
		return errors.New("has no comment at its top: what it is, an empty line, and what the credential brings")
	case !slices.Contains(evidence, e.note("catalog-evidence")):
		return fmt.Errorf("has the annotation %scatalog-evidence %q: one of %q", prefix, e.note("catalog-evidence"), evidence)
	case len(e.grants()) == 0, e.note("catalog-lifetime") == "":
		return fmt.Errorf("lacks the annotation %scatalog-grants or %scatalog-lifetime", prefix, prefix)
	case spec.Client != nil || spec.Allowed != nil || spec.AllowedNamespaces != nil || holdsSecret(spec):
		return errors.New("holds a client, a secret, or namespaces: a provider of the catalog is for everybody")
	}
	return nil
}

func holdsSecret(spec *v1alpha1.ClusterOAuthProviderSpec) bool {
	return slices.ContainsFunc(spec.Request.Headers, func(h v1alpha1.Header) bool { return h.ValueFrom != nil }) ||
		slices.ContainsFunc(spec.Request.Parameters, func(p v1alpha1.Parameter) bool { return p.ValueFrom != nil })
}

// examplesOf tells which examples belong to no provider, and which providers lack
// one.
func examplesOf(entries []entry, directory string) error {
	files, err := filepath.Glob(filepath.Join(directory, "examples", "*.yaml"))
	if err != nil {
		return err
	}
	var wrong []error
	known := map[string]bool{}
	for i := range entries {
		name := entries[i].provider.Name
		known[name] = true
		if entries[i].example == "" {
			wrong = append(wrong, fmt.Errorf("examples/%s.yaml is missing", name))
		}
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !known[name] {
			wrong = append(wrong, fmt.Errorf("examples/%s.yaml belongs to no provider", name))
		}
	}
	return errors.Join(wrong...)
}

// paragraphs are those of the comment at the top of a file, each on one line.
func paragraphs(content string) []string {
	var found []string
	open := false
	for line := range strings.SplitSeq(content, "\n") {
		text, comment := strings.CutPrefix(line, "#")
		text = strings.TrimSpace(text)
		switch {
		case !comment:
			return found
		case text == "":
			open = false
		case open:
			found[len(found)-1] += " " + text
		default:
			found, open = append(found, text), true
		}
	}
	return found
}
