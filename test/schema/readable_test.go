package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// full has every field of the spec set but for those that exclude one another,
// which are in otherwise.
const full = `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {generateName: schema-}
spec:
  provider:
    tokenURL: https://login.example.com/oauth/token
    clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}
    request:
      headers:
      - {name: X-A, value: a}
      - {name: X-B, valueFrom: {secretKeyRef: {name: s, key: k}}}
      parameters:
      - {name: a, value: ""}
      - {name: b, valueFrom: {secretKeyRef: {name: s, key: k}}}
    lifetime: {default: 1h30m, maximum: 720h, expiresInUnit: Minutes}
    timeout: 500ms500ms
    tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}
  grantType: client_credentials
  client:
    id: app
    secretRef: {name: app, key: secret}
  scopes: [b, a]
  audiences: [urn:b, urn:a]
  resources: ['https://b.example.com', 'https://a.example.com']
  request:
    headers:
    - {name: X-C, value: c}
    - {name: X-D, valueFrom: {secretKeyRef: {name: s, key: k}}}
    parameters:
    - {name: c, value: c}
    - {name: d, valueFrom: {secretKeyRef: {name: s, key: k}}}
  refresh: {afterPercent: 80, before: 0s}
  secret:
    name: token
    type: example.com/token
    labels: {team: a}
    annotations: {example.com/contact: a b}
    adoptExisting: true
    deletionPolicy: Retain
  suspend: true
`

const otherwise = "spec: {client: {idRef: {name: app, key: id}}}"

var _ = Describe("a spec with every field set", func() {
	It("is one, field by field", func() {
		known := map[string]bool{}
		schemaPaths(definition().Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"], "spec", known)
		set := map[string]bool{}
		valuePaths(object(full)["spec"], "spec", set)
		valuePaths(object(otherwise)["spec"], "spec", set)
		Expect(slices.Sorted(maps.Keys(set))).To(Equal(slices.Sorted(maps.Keys(known))))
	})

	It("comes back as it was written", func(ctx SpecContext) {
		created, err := create(ctx, strict, object(full))
		Expect(err).NotTo(HaveOccurred())
		Expect(created["spec"]).To(BeComparableTo(canonical(object(full)["spec"])))
	})

	It("is the same after a visit to Go", func(ctx SpecContext) {
		created, err := create(ctx, strict, object(full))
		Expect(err).NotTo(HaveOccurred())
		credential := expectReadable(ctx, created)
		text, err := json.Marshal(credential.Spec)
		Expect(err).NotTo(HaveOccurred())
		// Go knows one way to write a duration.
		want := object(full)["spec"].(map[string]any)
		merge(want, object(`{provider: {timeout: 1s, lifetime: {default: 1h30m0s, maximum: 720h0m0s}}}`))
		Expect(text).To(MatchJSON(must(json.Marshal(want))))

		By("passing the schema again")
		credential.Labels = map[string]string{"touched": "true"}
		Expect(controlPlane.Client.Update(ctx, credential)).To(Succeed())
		again := credential.DeepCopy()
		again.ObjectMeta = *new(v1alpha1.OAuthCredential).ObjectMeta.DeepCopy()
		again.Namespace, again.GenerateName = namespace, "schema-"
		Expect(controlPlane.Client.Create(ctx, again)).To(Succeed())
	})

	It("need not be one to be written from Go", func(ctx SpecContext) {
		credential := &v1alpha1.OAuthCredential{}
		credential.Namespace, credential.GenerateName = namespace, "schema-"
		credential.Spec.Provider.TokenURL = example
		Expect(controlPlane.Client.Create(ctx, credential)).To(Succeed())
		Expect(credential.Spec.GrantType).To(Equal(v1alpha1.GrantClientCredentials))
	})
})

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
		template := object(full)
		readable, unreadable := try(variants(template, template["spec"]), func(text []byte) rest.Result {
			return request(http.MethodPost, jsonBody, lenient).Param("dryRun", "All").Body(text).Do(ctx)
		})
		Expect(unreadable).To(BeEmpty())
		Expect(readable).To(BeNumerically(">", 100))
	})

	It("in the status", func(ctx SpecContext) {
		credential := writeStatus(ctx)
		template := map[string]any{"status": canonical(credential.Status)}
		readable, unreadable := try(variants(template, template["status"]), func(text []byte) rest.Result {
			return request(http.MethodPatch, mergePatch, lenient).Name(credential.Name).SubResource("status").
				Param("dryRun", "All").Body(text).Do(ctx)
		})
		Expect(unreadable).To(BeEmpty())
		Expect(readable).To(BeNumerically(">", 50))
	})

	It("in the list of all that these tests have made", func(ctx SpecContext) {
		list := &v1alpha1.OAuthCredentialList{}
		Expect(controlPlane.Client.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
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
// value in its place.
func variants(whole map[string]any, part any) [][]byte {
	var texts [][]byte
	var walk func(any)
	visit := func(value any, set func(any)) {
		candidates := oddTypes
		switch v := value.(type) {
		case float64:
			candidates = slices.Concat(oddTypes, oddNumbers)
		case string:
			candidates = slices.Concat(oddTypes, oddTexts)
			if _, err := time.Parse(time.RFC3339, v); err == nil {
				candidates = oddInstants
			}
		}
		for _, candidate := range candidates {
			set(json.RawMessage(candidate))
			texts = append(texts, must(json.Marshal(whole)))
		}
		set(value)
		walk(value)
	}
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, below := range v {
				visit(below, func(x any) { v[key] = x })
			}
		case []any:
			for i, below := range v {
				visit(below, func(x any) { v[i] = x })
			}
		}
	}
	walk(part)
	return texts
}

// canonical is a value as JSON has it.
func canonical(value any) any {
	GinkgoHelper()
	var out any
	Expect(json.Unmarshal(must(json.Marshal(value)), &out)).To(Succeed())
	return out
}
