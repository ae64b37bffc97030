package schema_test

import (
	"encoding/json"
	"net/http"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	. "github.com/onsi/gomega/gstruct"
)

var _ = It("is found by its short name and its category", func() {
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
	Expect(list.APIResources).To(ContainElement(HaveField("Name", "oauthcredentials/status")))
})

var _ = Describe("kubectl get", func() {
	table := func(ctx SpecContext, name string) *metav1.Table {
		GinkgoHelper()
		body, err := request(http.MethodGet, jsonBody, strict).Name(name).
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Raw()
		Expect(err).NotTo(HaveOccurred())
		t := &metav1.Table{}
		Expect(json.Unmarshal(body, t)).To(Succeed())
		Expect(t.Rows).To(HaveLen(1))
		return t
	}

	It("shows what matters, and more with -o wide", func(ctx SpecContext) {
		narrow, wide := []string{}, []string{}
		for _, column := range table(ctx, writeStatus(ctx).Name).ColumnDefinitions {
			wide = append(wide, column.Name)
			if column.Priority == 0 {
				narrow = append(narrow, column.Name)
			}
		}
		Expect(narrow).To(Equal([]string{"Name", "Ready", "Reason", "Expires", "Refresh", "Secret", "Age"}))
		Expect(wide).To(Equal([]string{"Name", "Ready", "Reason", "Expires", "Refresh", "Secret", "Provider", "Grant", "Age"}))
	})

	It("shows instants to come as they are", func(ctx SpecContext) {
		credential := writeStatus(ctx)
		cells := table(ctx, credential.Name).Rows[0].Cells
		Expect(cells[:len(cells)-1]).To(Equal([]any{
			credential.Name, "True", "TokenIssued", "2030-01-02T04:04:05Z", "2030-01-02T03:04:05Z", "acme-token", example, "client_credentials",
		}))
		Expect(time.ParseDuration(cells[len(cells)-1].(string))).To(BeNumerically("<", time.Minute), "age")
	})

	It("shows a credential that nobody has looked at", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest(""))
		Expect(err).NotTo(HaveOccurred())
		cells := table(ctx, nameOf(object)).Rows[0].Cells
		Expect(cells[1:6]).To(HaveEach(Or(BeNil(), BeEquivalentTo(""))))
	})
})

// kubectl explain shows the descriptions.
var _ = Describe("the documentation in the schema", func() {
	It("has a word on every field", func() {
		root := *definition().Spec.Versions[0].Schema.OpenAPIV3Schema
		Expect(root.Description).NotTo(BeEmpty())
		// The API server documents the metadata.
		delete(root.Properties, "metadata")
		Expect(undocumented(root, "")).To(BeEmpty())
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

// schemaPaths and valuePaths name the fields of a schema and of a value alike.
func schemaPaths(schema apiextensionsv1.JSONSchemaProps, path string, into map[string]bool) {
	into[path] = true
	for name, property := range schema.Properties {
		schemaPaths(property, path+"."+name, into)
	}
	if schema.Items != nil {
		schemaPaths(*schema.Items.Schema, path+"[]", into)
	}
	if schema.AdditionalProperties != nil {
		schemaPaths(*schema.AdditionalProperties.Schema, path+"{}", into)
	}
}

func valuePaths(value any, path string, into map[string]bool) {
	into[path] = true
	switch v := value.(type) {
	case map[string]any:
		for key, below := range v {
			// The keys of these two are the user's.
			if path == "spec.secret.labels" || path == "spec.secret.annotations" {
				valuePaths(below, path+"{}", into)
				continue
			}
			valuePaths(below, path+"."+key, into)
		}
	case []any:
		for _, below := range v {
			valuePaths(below, path+"[]", into)
		}
	}
}
