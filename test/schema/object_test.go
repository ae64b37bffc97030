package schema_test

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	Entry("of a refresh token itself", "spec: {refresh_token: a}", `unknown field "spec.refresh_token"`),
	Entry("of the device grant, which has no block", "spec: {deviceCode: {}}", `unknown field "spec.deviceCode"`),
	Entry("of a provider that is shared", "spec: {provider: {client: {id: a}}}", `unknown field "spec.provider.client"`),
	Entry("of the limits of a provider", "spec: {provider: {limits: {burst: 1}}}", `unknown field "spec.provider.limits"`),
	Entry("beside the spec", "data: {a: b}", `unknown field "data"`),
)

var _ = DescribeTable("what the schema of providers does not know",
	func(ctx SpecContext, patch, complaint string) {
		for _, k := range providerKinds {
			_, err := create(ctx, strict, k.manifest(patch))
			Expect(err).To(MatchError(ContainSubstring("%s", complaint)))
		}
	},
	Entry("in the spec", "spec: {tokenUrl: a}", `unknown field "spec.tokenUrl"`),
	Entry("of a credential", "spec: {scopes: [a]}", `unknown field "spec.scopes"`),
	Entry("of the key of a certificate", "spec: {client: {id: a, certificateRef: {name: a, key: a}}}", `unknown field "spec.client.certificateRef.key"`),
	Entry("in a struct that is embedded", "spec: {request: {header: []}}", `unknown field "spec.request.header"`),
)

var _ = It("does not know allowedNamespaces in the provider of one namespace", func(ctx SpecContext) {
	_, err := create(ctx, strict, providers.manifest("spec: {allowedNamespaces: {}}"))
	Expect(err).To(MatchError(ContainSubstring(`unknown field "spec.allowedNamespaces"`)))
})

var _ = It("refuses a field that is there twice", func(ctx SpecContext) {
	twice := []byte(credentials.minimal + "kind: OAuthCredential\n")
	_, err := send(ctx, credentials.request(http.MethodPost, yamlBody, strict).Body(twice))
	Expect(err).To(MatchError(ContainSubstring(`"kind" already set in map`)))
})

var _ = DescribeTable("what cannot be left out",
	func(ctx SpecContext, text string, want verdict) {
		_, err := create(ctx, strict, object("{apiVersion: tokensync.dev/v1alpha1, kind: OAuthCredential, metadata: {generateName: schema-}"+text+"}"))
		expectComplaint(err, want.says)
	},
	Entry("the spec", "", refused("spec", "Required value")),
	Entry("the provider", ", spec: {}", refused("spec", "exactly one of the fields in [provider providerRef] must be set")),
	Entry("the endpoint", ", spec: {provider: {}}", refused("spec.provider", "exactly one of the fields in [tokenURL issuer] must be set")),
)

var _ = It("demands a spec of providers", func(ctx SpecContext) {
	for _, k := range providerKinds {
		manifest := k.manifest("")
		delete(manifest, "spec")
		_, err := create(ctx, strict, manifest)
		expectComplaint(err, []string{"spec", "Required value"})
	}
	clusterProviders.judge(ctx, "spec: {tokenURL: null}", refused("spec", "exactly one of the fields in [tokenURL issuer] must be set"))
})

var _ = Describe("defaults", func() {
	It("are none in a provider", func(ctx SpecContext) {
		for _, k := range providerKinds {
			object, err := create(ctx, strict, k.manifest(""))
			Expect(err).NotTo(HaveOccurred())
			Expect(object["spec"]).To(Equal(k.manifest("")["spec"]))
			Expect(object["status"]).To(Equal(map[string]any{"observedGeneration": -1.0}))
		}
	})

	It("are constants alone", func(ctx SpecContext) {
		object, err := create(ctx, strict, manifest(""))
		Expect(err).NotTo(HaveOccurred())
		Expect(object["spec"]).To(Equal(map[string]any{
			"provider":         map[string]any{"tokenURL": example},
			"grantType":        "client_credentials",
			"revocationPolicy": "Never",
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
			Provider:         &v1alpha1.Endpoint{TokenURL: example},
			GrantType:        v1alpha1.GrantClientCredentials,
			RevocationPolicy: v1alpha1.RevocationNever,
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
	Entry("for the reference to a provider", "spec: {providerRef: null}"),
	Entry("for the blocks of grants", "spec: {jwtBearer: null, tokenExchange: null, password: null, refreshToken: null, authorizationCode: null}"),
	Entry("for the policy of revocation", "spec: {revocationPolicy: null}"),
	Entry("for all of a client", "spec: {client: {id: null, secretRef: null, serviceAccount: null, authentication: null}}"),
	Entry("for the answer", "spec: {provider: {response: {accessToken: null}}}"),
)

var _ = DescribeTable("a null in a provider is as good as nothing",
	func(ctx SpecContext, fields string) {
		endpoint := v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{TokenURL: example}}
		for _, k := range providerKinds {
			object, err := create(ctx, strict, k.manifest("spec: {"+fields+"}"))
			Expect(err).NotTo(HaveOccurred())
			switch provider := k.read(ctx, nameOf(object)).(type) {
			case *v1alpha1.OAuthProvider:
				Expect(provider.Spec).To(Equal(endpoint))
			case *v1alpha1.ClusterOAuthProvider:
				Expect(provider.Spec).To(Equal(v1alpha1.ClusterOAuthProviderSpec{
					OAuthProviderSpec: endpoint, AllowedNamespaces: &metav1.LabelSelector{},
				}))
			}
		}
	},
	Entry("for the issuer", "issuer: null"),
	Entry("for the other endpoints", "authorizationURL: null, deviceAuthorizationURL: null, revocationURL: null"),
	Entry("for the client", "client: null"),
	Entry("for what is allowed", "allowed: null"),
	Entry("for the authorities", "allowedAuthorities: null"),
	Entry("for the limits", "limits: null"),
	Entry("for a method", "clientAuthentication: {method: null, basicEncoding: null, assertion: null}"),
	Entry("for the request", "request: {method: null, bodyFormat: null, scopeSeparator: null, omitParameters: null, headers: null, parameters: null}"),
	Entry("for the response", "response: {accessToken: null, extra: null}"),
	Entry("for the lifetime", "lifetime: {default: null, maximum: null, expiresInUnit: null, refreshToken: null}"),
	Entry("for the parameters of the authorization", "authorizationParameters: null"),
	Entry("for all else", "tokenReissue: null, timeout: null, tls: null"),
)

var _ = DescribeTable("a null in a provider", judgeProviders,
	Entry("holds no secret", "spec: {client: null, allowed: {scopes: [a]}}", refused("spec", allowedMessage)),
	Entry("is no bound", "spec: {limits: {maxConcurrentRequests: null, requests: null, period: null, burst: null}}", accepted()),
	Entry("is no list", "spec: {client: {id: a}, allowed: {scopes: null, grantTypes: null, variables: null}}", accepted()),
	Entry("is no values of a variable", "spec: {client: {id: a}, allowed: {variables: {a: null}}}", accepted()),
	Entry("is no value of a variable", "spec: {client: {id: a}, allowed: {variables: {a: [null]}}}",
		refused("spec.allowed.variables", `must be of type string: "null"`)),
	Entry("is no extra value", "spec: {response: {extra: {a: null}}}", accepted()),
	Entry("is no token URL", "spec: {tokenURL: null}", refused("spec", "exactly one of the fields in [tokenURL issuer] must be set")),
)

var _ = It("takes a null for no allowedNamespaces", func(ctx SpecContext) {
	clusterProviders.judge(ctx, "spec: {allowedNamespaces: null, client: {id: app}}", refused("spec", whoMessage))
	clusterProviders.judge(ctx, "spec: {allowedNamespaces: {matchLabels: null}, client: {id: app}}", accepted())
})

var _ = DescribeTable("a null", judge,
	Entry("becomes the default of the deletion policy", "spec: {secret: {deletionPolicy: null}}", accepted()),
	Entry("is no labels", "spec: {secret: {labels: null}}", accepted()),
	Entry("is no data", "spec: {secret: {data: null}}", accepted()),
	Entry("is no variables", "spec: {provider: null, providerRef: {name: a, variables: {a: null}}}", accepted()),
	Entry("is no subject to exchange", "spec: {grantType: "+tokenExchange+", tokenExchange: {subjectTokenType: a, subjectToken: {secretKeyRef: null}}}",
		refused("spec.tokenExchange.subjectToken", "exactly one of the fields in [secretKeyRef serviceAccount] must be set")),
	Entry("is no value of a label", "spec: {secret: {labels: {team: null}}}", accepted()),
	Entry("is no token URL", "spec: {provider: {tokenURL: null}}", refused("spec.provider", "exactly one of the fields in [tokenURL issuer] must be set")),
	Entry("is no scope", "spec: {scopes: [null]}", refused("spec.scopes[0]", `must be of type string: "null"`)),
	Entry("is no header", "spec: {request: {headers: [null]}}", refused("spec.request.headers[0]", `must be of type object: "null"`)),
	Entry("is no value of a header", "spec: {request: {headers: [{name: X-A, value: null}]}}",
		refused("spec.request.headers[0]", "at least one of the fields in [value valueFrom expression] must be set")),
)
