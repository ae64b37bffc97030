package schema_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	. "github.com/onsi/gomega/gstruct"
)

var _ = It("finds the kinds by their names and their category", func() {
	client, err := discovery.NewDiscoveryClientForConfig(controlPlane.Config)
	Expect(err).NotTo(HaveOccurred())
	list, err := client.ServerResourcesForGroupVersion(v1alpha1.GroupVersion.String())
	Expect(err).NotTo(HaveOccurred())
	Expect(list.APIResources).To(ContainElement(MatchFields(IgnoreExtras, Fields{
		"Name":         Equal("oauthcredentials"),
		"SingularName": Equal("oauthcredential"),
		"Kind":         Equal("OAuthCredential"),
		"Namespaced":   BeTrue(),
		"ShortNames":   ConsistOf("oauthcred"),
		"Categories":   ConsistOf("tokensync"),
	})))
	for name, namespaced := range map[string]bool{"OAuthProvider": true, "ClusterOAuthProvider": false} {
		Expect(list.APIResources).To(ContainElement(MatchFields(IgnoreExtras, Fields{
			"Name":         Equal(strings.ToLower(name) + "s"),
			"SingularName": Equal(strings.ToLower(name)),
			"Kind":         Equal(name),
			"Namespaced":   Equal(namespaced),
			"ShortNames":   BeEmpty(),
			"Categories":   ConsistOf("tokensync"),
		})))
	}
	for _, k := range kinds {
		Expect(list.APIResources).To(ContainElement(HaveField("Name", k.resource+"/status")))
	}
})

var _ = Describe("kubectl", func() {
	It("gets both kinds of providers at once", func(ctx SpecContext) {
		var names []string
		for _, k := range providerKinds {
			object, err := create(ctx, strict, k.manifest(""))
			Expect(err).NotTo(HaveOccurred())
			names = append(names, k.name+".tokensync.dev/"+nameOf(object))
		}
		output := kubectl(ctx, "get", "oauthproviders,clusteroauthproviders", "--output=name")
		for _, name := range names {
			Expect(output).To(ContainSubstring("%s", strings.ToLower(name)))
		}
		Expect(kubectl(ctx, "get", "tokensync")).To(And(ContainSubstring("ISSUER"), ContainSubstring("EXPIRES")))
	})

	It("selects credentials by their provider", func(ctx SpecContext) {
		_, err := create(ctx, strict, manifest("metadata: {name: selected}\nspec: {provider: null, providerRef: {name: selected-provider}}"))
		Expect(err).NotTo(HaveOccurred())
		_, err = create(ctx, strict, manifest("spec: {provider: null, providerRef: {name: another-provider}}"))
		Expect(err).NotTo(HaveOccurred())
		Expect(kubectl(ctx, "get", "oauthcred", "--output=name", "--field-selector=spec.providerRef.name=selected-provider")).
			To(Equal("oauthcredential.tokensync.dev/selected\n"))
		Expect(kubectl(ctx, "get", "oauthcred", "--output=name", "--field-selector=spec.providerRef.name=")).
			NotTo(Or(ContainSubstring("/selected\n"), BeEmpty()))
	})

	It("explains", func(ctx SpecContext) {
		Expect(kubectl(ctx, "explain", "oauthcredential.spec.providerRef.variables")).To(ContainSubstring("the values for the templates"))
		Expect(kubectl(ctx, "explain", "oauthprovider.spec.response.expiresAt")).To(ContainSubstring("jwt(body.access_token).exp"))
		Expect(kubectl(ctx, "explain", "clusteroauthprovider.spec.allowedNamespaces")).To(ContainSubstring("{} selects all"))
		Expect(kubectl(ctx, "explain", "clusteroauthprovider.spec", "--recursive")).To(And(
			ContainSubstring("clientAuthentication"), ContainSubstring("maxConcurrentRequests"), ContainSubstring("allowedAuthorities")))
	})
})

// kubectl runs it, as an administrator in the suite's namespace.
func kubectl(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	arguments = append([]string{"--kubeconfig=" + controlPlane.Kubeconfig, "--namespace=" + namespace}, arguments...)
	output, err := exec.CommandContext(ctx, filepath.Join(cluster.Assets(), "kubectl"), arguments...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	return string(output)
}

// table is what kubectl makes columns of.
func (k kind) table(ctx context.Context, name string) *metav1.Table {
	GinkgoHelper()
	body, err := k.request(http.MethodGet, jsonBody, strict).Name(name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Raw()
	Expect(err).NotTo(HaveOccurred())
	t := &metav1.Table{}
	Expect(json.Unmarshal(body, t)).To(Succeed())
	Expect(t.Rows).To(HaveLen(1))
	return t
}

var _ = Describe("kubectl get", func() {
	DescribeTable("shows what matters, and more with -o wide",
		func(ctx SpecContext, k kind, wantNarrow, wantWide string) {
			object, err := create(ctx, strict, k.manifest(""))
			Expect(err).NotTo(HaveOccurred())
			narrow, wide := []string{}, []string{}
			for _, column := range k.table(ctx, nameOf(object)).ColumnDefinitions {
				wide = append(wide, column.Name)
				if column.Priority == 0 {
					narrow = append(narrow, column.Name)
				}
			}
			Expect(strings.Join(narrow, ", ")).To(Equal(wantNarrow))
			Expect(strings.Join(wide, ", ")).To(Equal(wantWide))
		},
		Entry("of a credential", credentials, "Name, Ready, Reason, Expires, Refresh, Secret, Age",
			"Name, Ready, Reason, Expires, Refresh, Secret, Provider, Token URL, Grant, Age"),
		Entry("of a provider", providers, "Name, Ready, Reason, Token URL, Issuer, Age", "Name, Ready, Reason, Token URL, Issuer, Method, Age"),
		Entry("of a cluster provider", clusterProviders, "Name, Ready, Reason, Token URL, Issuer, Age",
			"Name, Ready, Reason, Token URL, Issuer, Method, Age"),
	)

	It("shows providers", func(ctx SpecContext) {
		for _, k := range providerKinds {
			object, err := create(ctx, strict, k.manifest("spec: {tokenURL: null, issuer: 'https://login.example.com', clientAuthentication: {method: none}}"))
			Expect(err).NotTo(HaveOccurred())
			text := must(json.Marshal(map[string]any{"status": providerStatus()}))
			_, err = send(ctx, k.request(http.MethodPatch, mergePatch, strict).Name(nameOf(object)).SubResource("status").Body(text))
			Expect(err).NotTo(HaveOccurred())
			cells := k.table(ctx, nameOf(object)).Rows[0].Cells
			Expect(cells[:len(cells)-1]).To(Equal([]any{nameOf(object), "True", "ProviderReady", nil, "https://login.example.com", "none"}))
		}
	})

	It("shows which provider a credential refers to", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest("spec: {provider: null, providerRef: {name: acme}}"))
		Expect(err).NotTo(HaveOccurred())
		cells := credentials.table(ctx, nameOf(object)).Rows[0].Cells
		Expect(cells[6:9]).To(Equal([]any{"acme", nil, "client_credentials"}))
	})

	It("shows instants to come as they are", func(ctx SpecContext) {
		credential := writeStatus(ctx)
		cells := credentials.table(ctx, credential.Name).Rows[0].Cells
		Expect(cells[:len(cells)-1]).To(Equal([]any{
			credential.Name, "True", "TokenIssued", "2030-01-02T04:04:05Z", "2030-01-02T03:04:05Z", "acme-token", nil, example, "client_credentials",
		}))
		Expect(time.ParseDuration(cells[len(cells)-1].(string))).To(BeNumerically("<", time.Minute), "age")
	})

	It("shows a credential that nobody has looked at", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest(""))
		Expect(err).NotTo(HaveOccurred())
		cells := credentials.table(ctx, nameOf(object)).Rows[0].Cells
		Expect(cells[1:6]).To(HaveEach(Or(BeNil(), BeEquivalentTo(""))))
	})
})

// kubectl explain shows the descriptions.
var _ = Describe("the documentation in the schema", func() {
	It("has a word on every field", func() {
		for _, k := range kinds {
			root := *k.definition().Spec.Versions[0].Schema.OpenAPIV3Schema
			Expect(root.Description).NotTo(BeEmpty())
			// The API server documents the metadata.
			delete(root.Properties, "metadata")
			Expect(undocumented(root, k.name)).To(BeEmpty())
		}
	})
})

func undocumented(schema apiextensionsv1.JSONSchemaProps, path string) []string {
	var fields []string
	for name, property := range schema.Properties {
		if property.Description == "" {
			fields = append(fields, path+"."+name)
		}
		fields = append(fields, undocumented(property, path+"."+name)...)
	}
	if schema.Items != nil {
		fields = append(fields, undocumented(*schema.Items.Schema, path+"[]")...)
	}
	if schema.AdditionalProperties != nil {
		fields = append(fields, undocumented(*schema.AdditionalProperties.Schema, path+"{}")...)
	}
	return fields
}
