package schema_test

import (
	"os"
	"path/filepath"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var (
	controlPlane *cluster.Cluster
	// api speaks HTTP with the API server, so that manifests arrive as written.
	api       *rest.RESTClient
	codecs    serializer.CodecFactory
	namespace string
)

func TestSchema(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Schema")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	controlPlane, err = cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return controlPlane.Stop() })

	scheme, err := cluster.Scheme()
	Expect(err).NotTo(HaveOccurred())
	codecs = serializer.NewCodecFactory(scheme)
	config := rest.CopyConfig(controlPlane.Config)
	config.APIPath, config.GroupVersion = "/apis", &v1alpha1.GroupVersion
	config.NegotiatedSerializer = codecs.WithoutConversion()
	config.WarningHandler = rest.NoWarnings{}
	api, err = rest.RESTClientFor(config)
	Expect(err).NotTo(HaveOccurred())

	namespace, err = controlPlane.CreateNamespace(ctx, "schema")
	Expect(err).NotTo(HaveOccurred())
})

// definition reads the CRD of a kind as it is shipped.
func (k kind) definition() *apiextensionsv1.CustomResourceDefinition {
	GinkgoHelper()
	path := filepath.Join(cluster.Root(), "config", "crd", "bases", "tokensync.dev_"+k.resource+".yaml")
	content, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	crd := &apiextensionsv1.CustomResourceDefinition{}
	Expect(yaml.UnmarshalStrict(content, crd)).To(Succeed())
	Expect(crd.Spec.Versions).To(HaveLen(1))
	return crd
}

// validation is the difference that `kubectl --validate` makes.
type validation string

const (
	strict  validation = "Strict"
	lenient validation = "Ignore"
)

// The media types of request bodies.
const (
	yamlBody   = "application/yaml"
	jsonBody   = "application/json"
	mergePatch = "application/merge-patch+json"
)

// request is one of the verbs of the API server on the objects of a kind: those of
// the suite's namespace, if it has one.
func (k kind) request(verb, contentType string, mode validation) *rest.Request {
	return api.Verb(verb).NamespaceIfScoped(namespace, k.namespaced).Resource(k.resource).
		Param("fieldValidation", string(mode)).Param("fieldManager", "schema-test").
		SetHeader("Content-Type", contentType)
}
