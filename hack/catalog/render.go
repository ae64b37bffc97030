package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// render writes the table, and a section for each provider.
func render(entries []entry) string {
	var b strings.Builder
	b.WriteString("| provider | grant types | client authentication | variables | a token lives | reissue | evidence |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for i := range entries {
		b.WriteString(row(&entries[i]))
	}
	for i := range entries {
		b.WriteString(section(&entries[i]))
	}
	return b.String()
}

func row(e *entry) string {
	name := e.provider.Name
	cells := []string{
		fmt.Sprintf("[%s](#%s)", name, name),
		grantsCell(e),
		methodCell(&e.provider.Spec),
		strings.Join(code(variables(&e.provider.Spec)), ", "),
		e.note("catalog-lifetime"),
		reissueCell(&e.provider.Spec),
		e.note("catalog-evidence"),
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func grantsCell(e *entry) string {
	grants := e.grants()
	if slices.Equal(grants, []string{"none"}) {
		return "a way of its own"
	}
	for i, grant := range grants {
		grants[i] = strings.TrimPrefix(grant, "urn:ietf:params:oauth:grant-type:")
	}
	return strings.Join(code(grants), ", ")
}

func methodCell(spec *v1alpha1.ClusterOAuthProviderSpec) string {
	method := string(spec.ClientAuthentication.Method)
	if method == "" {
		return "by the client's key"
	}
	return "`" + method + "`"
}

func reissueCell(spec *v1alpha1.ClusterOAuthProviderSpec) string {
	if spec.TokenReissue == "" {
		return "not known"
	}
	return "`" + string(spec.TokenReissue) + "`"
}

var template = regexp.MustCompile(`\{(\w+)\}`)

// variables are those of the URLs, in the order in which they stand there.
func variables(spec *v1alpha1.ClusterOAuthProviderSpec) []string {
	var names []string
	for _, url := range []v1alpha1.EndpointURL{
		spec.TokenURL, spec.Issuer, spec.AuthorizationURL, spec.DeviceAuthorizationURL, spec.RevocationURL,
	} {
		for _, match := range template.FindAllStringSubmatch(string(url), -1) {
			if !slices.Contains(names, match[1]) {
				names = append(names, match[1])
			}
		}
	}
	return names
}

func section(e *entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n%s\n", e.provider.Name, strings.Join(e.about, "\n\n"))
	if notes := e.note("catalog-notes"); notes != "" {
		fmt.Fprintf(&b, "\n%s\n", notes)
	}
	fmt.Fprintf(&b, "\nManifest: [%[1]s.yaml](../%[2]s/%[1]s.yaml).", e.provider.Name, manifests)
	if url := e.note("documentation"); url != "" {
		fmt.Fprintf(&b, " Documentation: <%s>.", url)
	}
	fmt.Fprintf(&b, "\n\n```yaml\n%s```\n", e.example)
	return b.String()
}

func code(words []string) []string {
	quoted := make([]string, 0, len(words))
	for _, word := range words {
		quoted = append(quoted, "`"+word+"`")
	}
	return quoted
}
