package schema_test

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("what the schema does not know",
	func(ctx SpecContext, patch, complaint string) {
		By("naming it under strict validation, which kubectl asks for")
		_, err := create(ctx, strict, manifest(patch))
		Expect(err).To(MatchError(ContainSubstring("%s", complaint)))
		Expect(apierrors.IsBadRequest(err)).To(BeTrue())

		By("leaving it out otherwise")
		object, err := create(ctx, lenient, manifest(patch))
		Expect(err).NotTo(HaveOccurred())
		plain, err := create(ctx, strict, manifest(""))
		Expect(err).NotTo(HaveOccurred())
		Expect(object["spec"]).To(Equal(plain["spec"]))
		expectReadable(ctx, object)
	},
	Entry("in the spec", "spec: {scope: [a]}", `unknown field "spec.scope"`),
	Entry("in the wrong case", "spec: {provider: {tokenUrl: a}}", `unknown field "spec.provider.tokenUrl"`),
	Entry("of a grant that is not served", "spec: {refreshToken: {bootstrapRef: {name: a, key: b}}}", `unknown field "spec.refreshToken"`),
	Entry("beside the spec", "data: {a: b}", `unknown field "data"`),
)

var _ = It("refuses a field that is there twice", func(ctx SpecContext) {
	twice := []byte(minimal + "kind: OAuthCredential\n")
	_, err := send(ctx, request(http.MethodPost, yamlBody, strict).Body(twice))
	Expect(err).To(MatchError(ContainSubstring(`"kind" already set in map`)))
})

var _ = DescribeTable("what cannot be left out",
	func(ctx SpecContext, text string, want verdict) {
		_, err := create(ctx, strict, object("{apiVersion: tokensync.dev/v1alpha1, kind: OAuthCredential, metadata: {generateName: schema-}"+text+"}"))
		expectComplaint(err, want.says)
	},
	Entry("the spec", "", refused("spec", "Required value")),
	Entry("the provider", ", spec: {}", refused("spec.provider", "Required value")),
	Entry("the token URL", ", spec: {provider: {}}", refused("spec.provider.tokenURL", "Required value")),
)

var _ = Describe("defaults", func() {
	It("are constants alone", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest(""))
		Expect(err).NotTo(HaveOccurred())
		Expect(object["spec"]).To(Equal(map[string]any{
			"provider":  map[string]any{"tokenURL": example},
			"grantType": "client_credentials",
		}))
	})

	It("fill a Secret only where there is one", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest("spec: {secret: {name: a}}"))
		Expect(err).NotTo(HaveOccurred())
		Expect(object["spec"]).To(HaveKeyWithValue("secret", map[string]any{"name": "a", "deletionPolicy": "Delete"}))
	})

	It("fill a Secret that says nothing", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest("spec: {secret: {}}"))
		Expect(err).NotTo(HaveOccurred())
		Expect(object["spec"]).To(HaveKeyWithValue("secret", map[string]any{"deletionPolicy": "Delete"}))
	})

	It("do not touch what is set", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest("spec: {secret: {deletionPolicy: Retain}}"))
		Expect(err).NotTo(HaveOccurred())
		Expect(expectReadable(ctx, object).Spec.Secret.DeletionPolicy).To(Equal(v1alpha1.DeletionPolicyRetain))
	})

	It("say that no generation has been observed", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest(""))
		Expect(err).NotTo(HaveOccurred())
		Expect(object["status"]).To(Equal(map[string]any{"observedGeneration": -1.0}), "in the answer")
		Expect(expectReadable(ctx, object).Status).To(Equal(v1alpha1.OAuthCredentialStatus{ObservedGeneration: -1}), "in the store")
	})
})

// A chart that renders an absent value writes a null.
var _ = DescribeTable("a null is as good as nothing",
	func(ctx SpecContext, patch string) {
		object, err := create(ctx, strict, manifest(patch))
		Expect(err).NotTo(HaveOccurred())
		Expect(expectReadable(ctx, object).Spec).To(Equal(v1alpha1.OAuthCredentialSpec{
			Provider:  v1alpha1.Endpoint{TokenURL: example},
			GrantType: v1alpha1.GrantClientCredentials,
		}))
	},
	Entry("for an enumeration with a default", "spec: {grantType: null}"),
	Entry("for a list", "spec: {scopes: null}"),
	Entry("for a struct", "spec: {client: null}"),
	Entry("for a struct with a default in it", "spec: {secret: null}"),
	Entry("for a struct within another", "spec: {provider: {tls: null}}"),
	Entry("for a boolean", "spec: {suspend: null}"),
	Entry("for a number", "spec: {refresh: {afterPercent: null}}"),
	Entry("for a duration", "spec: {refresh: {before: null}}"),
)

var _ = DescribeTable("a null", judge,
	Entry("becomes the default of the deletion policy", "spec: {secret: {deletionPolicy: null}}", accepted()),
	Entry("is no labels", "spec: {secret: {labels: null}}", accepted()),
	Entry("is no value of a label", "spec: {secret: {labels: {team: null}}}", accepted()),
	Entry("is no token URL", "spec: {provider: {tokenURL: null}}", refused("spec.provider.tokenURL", "Required value")),
	Entry("is no scope", "spec: {scopes: [null]}", refused("spec.scopes[0]", `must be of type string: "null"`)),
	Entry("is no header", "spec: {request: {headers: [null]}}", refused("spec.request.headers[0]", `must be of type object: "null"`)),
	Entry("is no value of a header", "spec: {request: {headers: [{name: X-A, value: null}]}}",
		refused("spec.request.headers[0]", "exactly one of the fields in [value valueFrom] must be set")),
)
