package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("specs with every field set", func() {
	It("are so, field by field", func() {
		for _, k := range kinds {
			known, set := map[string]bool{}, map[string]bool{}
			schemaPaths(k.definition().Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"], "spec", known)
			maps.DeleteFunc(known, func(path string, _ bool) bool { return k.outOfReach(path) })
			for _, manifest := range k.full() {
				valuePaths(manifest["spec"], "spec", set)
			}
			Expect(slices.Sorted(maps.Keys(set))).To(Equal(slices.Sorted(maps.Keys(known))), k.name)
		}
	})

	It("come back as they were written", func(ctx SpecContext) {
		for _, k := range kinds {
			for _, manifest := range k.full() {
				created, err := create(ctx, strict, manifest)
				Expect(err).NotTo(HaveOccurred())
				Expect(created["spec"]).To(BeComparableTo(canonical(manifest["spec"])))
			}
		}
	})

	It("are the same after a visit to Go", func(ctx SpecContext) {
		for _, k := range kinds {
			for _, manifest := range k.full() {
				created, err := create(ctx, strict, manifest)
				Expect(err).NotTo(HaveOccurred())
				read := k.read(ctx, nameOf(created))
				Expect(canonical(read).(map[string]any)["spec"]).To(BeComparableTo(goDurations(canonical(manifest["spec"]))))

				By("passing the schema again")
				read.SetLabels(map[string]string{"touched": "true"})
				Expect(controlPlane.Client.Update(ctx, read)).To(Succeed())
				again := read.DeepCopyObject().(client.Object)
				again.SetName("")
				again.SetGenerateName("schema-")
				again.SetResourceVersion("")
				again.SetUID("")
				Expect(controlPlane.Client.Create(ctx, again)).To(Succeed())
			}
		}
	})
})

// goDurations writes each duration in the one way that Go knows.
func goDurations(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, below := range v {
			v[key] = goDurations(below)
		}
	case []any:
		for i, below := range v {
			v[i] = goDurations(below)
		}
	case string:
		if duration, err := time.ParseDuration(v); err == nil {
			return duration.String()
		}
	}
	return value
}

var _ = DescribeTable("an object with little in it can be written from Go",
	func(ctx SpecContext, object client.Object) {
		object.SetGenerateName("schema-")
		if _, isCluster := object.(*v1alpha1.ClusterOAuthProvider); !isCluster {
			object.SetNamespace(namespace)
		}
		Expect(controlPlane.Client.Create(ctx, object)).To(Succeed())
		if credential, ok := object.(*v1alpha1.OAuthCredential); ok {
			Expect(credential.Spec.GrantType).To(Equal(v1alpha1.GrantClientCredentials))
		}
	},
	Entry("as a credential", &v1alpha1.OAuthCredential{Spec: v1alpha1.OAuthCredentialSpec{Provider: &v1alpha1.Endpoint{TokenURL: example}}}),
	Entry("as a credential of a provider", &v1alpha1.OAuthCredential{Spec: v1alpha1.OAuthCredentialSpec{
		ProviderRef: &v1alpha1.ProviderReference{Name: "acme"},
	}}),
	Entry("as a credential with empty blocks", &v1alpha1.OAuthCredential{Spec: v1alpha1.OAuthCredentialSpec{
		Provider: &v1alpha1.Endpoint{TokenURL: example, ClientAuthentication: v1alpha1.ClientAuthentication{Assertion: &v1alpha1.ClientAssertion{}}},
	}}),
	Entry("as a provider", &v1alpha1.OAuthProvider{Spec: v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{TokenURL: example}}}),
	Entry("as a provider with empty blocks", &v1alpha1.OAuthProvider{Spec: v1alpha1.OAuthProviderSpec{
		Endpoint: v1alpha1.Endpoint{Issuer: example}, Client: &v1alpha1.Client{}, Allowed: &v1alpha1.Allowed{}, Limits: &v1alpha1.Limits{},
	}}),
	Entry("as a cluster provider", &v1alpha1.ClusterOAuthProvider{Spec: v1alpha1.ClusterOAuthProviderSpec{
		OAuthProviderSpec: v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{TokenURL: example}},
	}}),
	Entry("as a cluster provider for all", &v1alpha1.ClusterOAuthProvider{Spec: v1alpha1.ClusterOAuthProviderSpec{
		OAuthProviderSpec: v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{TokenURL: example}, Client: &v1alpha1.Client{ID: "app"}},
		AllowedNamespaces: &metav1.LabelSelector{},
	}}),
)

// odd are values that a field might take, by what it holds: numbers at the edges
// of Go's types, durations and instants at the edges of what Go reads, and what
// is of another type.
var (
	oddNumbers = []string{
		"0", "-1", "-0", "1", "67", "67.0", "6.7e1", "67.5", "1e2", "2147483647", "2147483648", "9007199254740993",
		"9223372036854775807", "9223372036854775808", "18446744073709551616", "1e30",
	}
	oddTexts = []string{
		`""`, `" "`, `"a"`, `"0"`, `"\u0000"`, `"\ud800"`, `"Raw"`,
	}
	oddDurations = []string{
		`"0s"`, `"00000s"`, `"00001s"`, `"0h0m0s1000ms"`, `"1s1s1s1s"`, `"99999ms99999ms"`, `"1ms1h"`, `"99999s"`, `"87600h"`,
		`"87599h99999ms"`, `"99999h99999h"`, `"99999h99999h99999h99999h"`, `"1.5h"`, `"1us"`, `"-1s"`, `"\u0661s"`, `"9223372036854775807ns"`,
	}
	oddInstants = []string{
		`"2030-01-02T03:04:05Z"`, `"2030-01-02t03:04:05z"`, `"2030-01-02T03:04:05z"`, `"2030-01-02T03:04:05+01:00"`,
		`"2030-01-02T03:04:05+99:99"`, `"2030-01-02T03:04:05.123456789123Z"`, `"2030-01-02T03:04:05,5Z"`,
		`"2030-01-02T03:04:05x5Z"`, `"0000-01-01T00:00:00Z"`, `"2030-01-02T24:00:00Z"`, `"2030-02-30T00:00:00Z"`, `"2030-01-02 03:04:05Z"`,
	}
	oddTypes = []string{"null", "true", "67", `"true"`, "[]", "{}", "[null]", `["a"]`, `{"a":null}`, `{"a":"b"}`}
)

// One object that cannot be decoded stops the list, and with it the operator.
var _ = Describe("Go reads all that the schema accepts", func() {
	It("in the spec", func(ctx SpecContext) {
		seen, sum := map[string]bool{}, 0
		for _, k := range kinds {
			for _, template := range k.full() {
				readable, unreadable := try(variants(template, "spec", seen), func(text []byte) rest.Result {
					return k.request(http.MethodPost, jsonBody, lenient).Param("dryRun", "All").Body(text).Do(ctx)
				})
				Expect(unreadable).To(BeEmpty())
				sum += readable
			}
		}
		Expect(sum).To(BeNumerically(">", 600))
	})

	It("in the status", func(ctx SpecContext) {
		credential := writeStatus(ctx)
		template := map[string]any{"status": canonical(credential.Status)}
		readable, unreadable := try(variants(template, "status", map[string]bool{}), func(text []byte) rest.Result {
			return credentials.request(http.MethodPatch, mergePatch, lenient).Name(credential.Name).SubResource("status").
				Param("dryRun", "All").Body(text).Do(ctx)
		})
		Expect(unreadable).To(BeEmpty())
		Expect(readable).To(BeNumerically(">", 50))
	})

	It("in the list of all that these tests have made", func(ctx SpecContext) {
		for _, k := range kinds {
			Expect(controlPlane.Client.List(ctx, k.list())).To(Succeed())
		}
	})
})

// try sends each text, decodes the answers to those that are accepted as a client
// does, and tells how many could be read and which could not.
func try(texts [][]byte, send func([]byte) rest.Result) (readable int, unreadable []string) {
	GinkgoHelper()
	for _, text := range texts {
		answer := send(text)
		if answer.Error() != nil {
			continue
		}
		body, err := answer.Raw()
		Expect(err).NotTo(HaveOccurred())
		if _, _, err := codecs.UniversalDeserializer().Decode(body, nil, nil); err != nil {
			unreadable = append(unreadable, fmt.Sprintf("%v: %s", err, text))
			continue
		}
		readable++
	}
	return readable, unreadable
}

// variants writes the whole once for every value in a part of it and every odd
// value in its place. A field that has been seen is not tried again; those of an
// endpoint are the same in all kinds.
func variants(whole map[string]any, part string, seen map[string]bool) [][]byte {
	var texts [][]byte
	var walk func(string, any)
	visit := func(path string, value any, set func(any)) {
		defer walk(path, value)
		field := strings.Replace(path, "spec.provider.", "spec.", 1)
		if seen[field] {
			return
		}
		seen[field] = true
		for _, candidate := range oddFor(value) {
			set(json.RawMessage(candidate))
			texts = append(texts, must(json.Marshal(whole)))
		}
		set(value)
	}
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				visit(path+"."+key, v[key], func(x any) { v[key] = x })
			}
		case []any:
			for i, below := range v {
				visit(path+"[]", below, func(x any) { v[i] = x })
			}
		}
	}
	walk(part, whole[part])
	return texts
}

func oddFor(value any) []string {
	switch v := value.(type) {
	case float64:
		return slices.Concat(oddTypes, oddNumbers)
	case string:
		if _, err := time.Parse(time.RFC3339, v); err == nil {
			return oddInstants
		}
		if _, err := time.ParseDuration(v); err == nil {
			return slices.Concat(oddTypes, oddTexts, oddDurations)
		}
		return slices.Concat(oddTypes, oddTexts)
	}
	return oddTypes
}

// canonical is a value as JSON has it.
func canonical(value any) any {
	GinkgoHelper()
	var out any
	Expect(json.Unmarshal(must(json.Marshal(value)), &out)).To(Succeed())
	return out
}
