// Package docs has no code: its test holds the documentation to the code.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const (
	root            = ".."
	credentialPage  = "docs/spec/oauthcredential.md"
	providerPage    = "docs/spec/oauthprovider.md"
	troubleshooting = "docs/troubleshooting.md"
	metricsPage     = "docs/metrics.md"
	crds            = "config/crd/bases/tokensync.dev_"
)

// pages are the README and all of docs/ but for what is generated, as paths from
// the root.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"README.md"}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path == "reference" {
			return fs.SkipDir
		}
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			found = append(found, "docs/"+filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, page string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// block is a fenced block of a page.
type block struct {
	language, text string
	line           int
}

var fence = regexp.MustCompile("^( *)```([a-z]*)$")

// split tells the fenced blocks of a page from its prose.
func split(content string) (prose []string, blocks []block) {
	var open *block
	var indent string
	for number, line := range strings.Split(content, "\n") {
		match := fence.FindStringSubmatch(line)
		switch {
		case match != nil && open == nil:
			open, indent = &block{language: match[2], line: number + 1}, match[1]
		case match != nil:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		default:
			prose = append(prose, line)
		}
	}
	return prose, blocks
}

var heading = regexp.MustCompile(`^#{1,6} +(.+?) *$`)

func headings(content string) []string {
	prose, _ := split(content)
	var found []string
	for _, line := range prose {
		if match := heading.FindStringSubmatch(line); match != nil {
			found = append(found, match[1])
		}
	}
	return found
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == ' ':
			return r
		}
		return -1
	}, strings.ToLower(heading))
	return strings.ReplaceAll(kept, " ", "-")
}

// literals are the constant strings of a folder's Go code that a filter picks, by
// the name of the constant where there is one.
func literals(t *testing.T, folder string, pick func(name, value string) bool) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	add := func(name string, node ast.Node) {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if value, err := strconv.Unquote(literal.Value); err == nil && pick(name, value) {
				found = append(found, value)
			}
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					add(name.Name, spec.Values[i])
				}
			}
			add("", node)
			return true
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestEveryReasonIsExplained(t *testing.T) {
	reasons := literals(t, "api/v1alpha1", func(name, _ string) bool { return strings.HasPrefix(name, "Reason") })
	if len(reasons) == 0 {
		t.Fatal("found no reasons in api/v1alpha1")
	}
	explained := headings(read(t, troubleshooting))
	for _, reason := range reasons {
		if !slices.Contains(explained, reason) {
			t.Errorf("%s has no heading for the reason %s", troubleshooting, reason)
		}
	}
	for _, title := range explained {
		// The headings that look like a reason: CamelCase, in one word.
		if regexp.MustCompile(`^[A-Z]\w*[a-z][A-Z]\w*$`).MatchString(title) && !slices.Contains(reasons, title) {
			t.Errorf("%s explains %s, which is no reason", troubleshooting, title)
		}
	}
}

func TestEveryMetricIsExplained(t *testing.T) {
	name := regexp.MustCompile(`\btokensync_[a-z0-9_]*[a-z0-9]\b`)
	var metrics []string
	for _, folder := range []string{"internal/metrics", "internal/sidecar/health"} {
		found := literals(t, folder, func(_, value string) bool { return name.FindString(value) == value && value != "" })
		if len(found) == 0 {
			t.Fatalf("found no metrics in %s", folder)
		}
		metrics = append(metrics, found...)
	}
	page := read(t, metricsPage)
	for _, metric := range metrics {
		if !strings.Contains(page, "| `"+metric+"` |") {
			t.Errorf("%s has no row for the metric %s", metricsPage, metric)
		}
	}
	for _, page := range pages(t) {
		for _, mentioned := range name.FindAllString(read(t, page), -1) {
			series := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(mentioned, "_bucket"), "_count"), "_sum")
			if !slices.Contains(metrics, series) {
				t.Errorf("%s mentions %s, which is no metric", page, mentioned)
			}
		}
	}
}

func TestEveryFieldIsExplained(t *testing.T) {
	for kind, page := range map[string]string{
		"oauthcredentials":      credentialPage,
		"oauthproviders":        providerPage,
		"clusteroauthproviders": providerPage,
	} {
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict([]byte(read(t, crds+kind+".yaml")), definition); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"spec", "status"} {
			checkFields(t, page, part, definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[part])
		}
	}
}

// checkFields looks for all fields of a schema on a page.
func checkFields(t *testing.T, page, path string, schema apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	if schema.Items != nil && schema.Items.Schema != nil {
		checkFields(t, page, path+"[]", *schema.Items.Schema)
	}
	for field, below := range schema.Properties {
		if !regexp.MustCompile(`\b` + field + `\b`).MatchString(read(t, page)) {
			t.Errorf("%s says nothing about %s.%s", page, path, field)
		}
		belowOn := page
		switch path + "." + field {
		case "spec.provider":
			belowOn = providerPage // The endpoint is that of a provider,
		case "spec.client":
			belowOn = credentialPage // and the client that of a credential.
		}
		checkFields(t, belowOn, path+"."+field, below)
	}
}

func TestRelativeLinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		prose, _ := split(read(t, page))
		for _, match := range link.FindAllStringSubmatch(strings.Join(prose, "\n"), -1) {
			target, err := url.Parse(match[1])
			if err != nil {
				t.Errorf("%s: the link %q cannot be read: %v", page, match[1], err)
				continue
			}
			if target.Scheme != "" {
				continue
			}
			checkLink(t, page, target)
		}
	}
}

func checkLink(t *testing.T, page string, target *url.URL) {
	t.Helper()
	path := page
	if target.Path != "" {
		path = filepath.ToSlash(filepath.Join(filepath.Dir(page), target.Path))
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(path))); err != nil {
		t.Errorf("%s: the link %q leads nowhere", page, target)
		return
	}
	if target.Fragment == "" {
		return
	}
	if !slices.ContainsFunc(headings(read(t, path)), func(h string) bool { return anchor(h) == target.Fragment }) {
		t.Errorf("%s: the link %q leads to no heading of %s", page, target, path)
	}
}
