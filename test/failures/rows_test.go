package failures_test

import (
	"context"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
)

// rows are all the failures: those of configuration, of connections, of answers.
var rows = append(append(configurationRows(), connectionRows()...), answerRows()...)

// apply applies manifests with the row's addresses in them.
func (r *row) apply(ctx context.Context, manifests ...string) {
	GinkgoHelper()
	for _, manifest := range manifests {
		apply(ctx, r.namespace, strings.NewReplacer("$URL", r.provider.url, "$CA", indent(r.ca), "$STRANGER", indent(strangersCA())).Replace(manifest))
	}
}

// applies heals by applying a manifest.
func applies(manifest string) func(SpecContext, *row) {
	return func(ctx SpecContext, r *row) { r.apply(ctx, manifest) }
}

// recoversAndIsAsked heals the provider. No object changes by that, so a person
// asks for a refresh.
func recoversAndIsAsked(ctx SpecContext, r *row) {
	r.provider.Behave()
	askForRefresh(ctx, r.namespace, "app")
}

// asking is the credential with another provider in it.
func asking(provider string) string {
	return strings.Replace(credential, "{tokenURL: $URL/oauth/token}", provider, 1)
}

// holding is the client Secret with other data in it.
func holding(data string) string {
	return strings.Replace(clientSecret, "client_secret: app-secret", data, 1)
}

const serviceAccountSecret = `
apiVersion: v1
kind: Secret
metadata:
  name: app-client
  annotations: {kubernetes.io/service-account.name: default}
type: kubernetes.io/service-account-token
stringData: {client_secret: app-secret}
`

func configurationRows() []*row {
	return []*row{
		{
			text:      "a client Secret that does not exist",
			manifests: []string{credential},
			reason:    v1alpha1.ReasonSourceSecretMissing,
			words:     []string{`"app-client"`, "spec.client.secretRef", "does not exist", "create it"},
			pace:      never,
			heal:      applies(clientSecret),
		},
		{
			text:      "a client Secret without the key",
			manifests: []string{holding("password: app-secret"), credential},
			reason:    v1alpha1.ReasonSourceSecretMissing,
			words:     []string{`"app-client"`, `no key "client_secret"`, "add the key"},
			pace:      never,
			heal:      applies(clientSecret),
		},
		{
			text:      "a client Secret that is empty",
			manifests: []string{holding(`client_secret: ""`), credential},
			reason:    v1alpha1.ReasonSourceSecretMissing,
			words:     []string{`"app-client"`, `nothing under the key "client_secret"`, "fill it in"},
			pace:      never,
			heal:      applies(clientSecret),
		},
		{
			text:      "the token of a ServiceAccount for a client secret",
			manifests: []string{serviceAccountSecret, credential},
			reason:    v1alpha1.ReasonSourceSecretRefused,
			words:     []string{`"app-client"`, "powers of its own", "type Opaque"},
			stalled:   true,
			pace:      never,
			heal: func(ctx SpecContext, r *row) {
				// The type of a Secret cannot change.
				apply(ctx, r.namespace, strings.Replace(clientSecret, "app-client", "app-own-client", 1))
				r.apply(ctx, strings.Replace(credential, "app-client", "app-own-client", 1))
			},
		},
		{
			text:      "a wrong client secret",
			manifests: []string{holding("client_secret: not-app-secret"), credential},
			reason:    v1alpha1.ReasonProviderRejected,
			words:     []string{"127.0.0.1", `"invalid_client"`, "HTTP status 401", "Check the client ID, the client secret"},
			stalled:   true,
			pace:      oneMinute,
			heal:      applies(clientSecret),
		},
		{
			text:      "a token URL with a wrong path",
			manifests: []string{clientSecret, asking("{tokenURL: $URL/token}")},
			reason:    v1alpha1.ReasonInvalidResponse,
			words:     []string{"127.0.0.1", "HTTP status 404", "Check", "tokenURL"},
			pace:      never, // on the right path
			heal:      applies(credential),
		},
		{
			text:      "a token URL at the metadata service of the cloud, whatever the flags",
			manifests: []string{clientSecret, asking("{tokenURL: http://169.254.169.254/oauth/token}")},
			reason:    v1alpha1.ReasonEgressDenied,
			words:     []string{"169.254.169.254", "does not connect", "administrator"},
			stalled:   true,
			pace:      never,
			heal:      applies(credential),
		},
		{
			text:      "a token URL in a network that a flag forbids",
			arguments: []string{"--egress-deny-cidr=127.0.0.2/32"},
			manifests: []string{clientSecret, asking("{tokenURL: http://127.0.0.2:9/oauth/token}")},
			reason:    v1alpha1.ReasonEgressDenied,
			words:     []string{"127.0.0.2", "does not connect", "administrator"},
			stalled:   true,
			pace:      never,
			heal:      applies(credential),
		},
		{
			text:    "a token URL that begins with http://, without the flag that allows it",
			bare:    true,
			reason:  v1alpha1.ReasonEgressDenied,
			words:   []string{"http://", "https://", "--allow-insecure-http"},
			stalled: true,
			pace:    never,
			heal:    restartedWithFlags,
		},
		{
			text:      "a token URL on loopback, without the flag that allows it",
			tls:       true,
			bare:      true,
			manifests: []string{clientSecret, bundle, asking(trusting)},
			reason:    v1alpha1.ReasonEgressDenied,
			words:     []string{"127.0.0.1", "does not connect", "--egress-allow-cidr"},
			stalled:   true,
			pace:      never,
			heal:      restartedWithFlags,
		},
	}
}

// restartedWithFlags starts the operator anew with the flags of all the others.
func restartedWithFlags(ctx SpecContext, r *row) {
	r.stopBare()
	startOperator(ctx, []string{r.namespace})
	askForRefresh(ctx, r.namespace, "app")
}
