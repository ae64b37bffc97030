package failures_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	impatient = "{tokenURL: $URL/oauth/token, timeout: 1s}"
	trusting  = "{tokenURL: $URL/oauth/token, tls: {caRef: {kind: ConfigMap, name: provider-ca, key: ca.crt}}}"
	bundle    = `
apiVersion: v1
kind: ConfigMap
metadata: {name: provider-ca}
data:
  ca.crt: |
    $CA
`
)

// bundled is a CA bundle that holds something else.
func bundled(content string) string { return strings.Replace(bundle, "$CA", content, 1) }

// times is a fault that so many requests meet, before the provider recovers.
func times(next int, behavior standin.Behavior) []standin.Behavior {
	behavior.Next = next
	return []standin.Behavior{behavior}
}

// always is a fault until the test ends it.
func always(behavior standin.Behavior) []standin.Behavior { return times(0, behavior) }

func connectionRows() []*row {
	return []*row{
		{
			text:   "a provider whose port is closed",
			down:   true,
			unseen: true,
			reason: v1alpha1.ReasonProviderUnreachable,
			words:  []string{"127.0.0.1", "connection refused"},
			pace:   backOff,
			heal: func(_ SpecContext, r *row) {
				r.release()
				_, stop, err := r.provider.ListenAt(strings.TrimPrefix(r.provider.url, "http://"))
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(stop)
			},
		},
		{
			text:      "a host name that DNS does not know",
			manifests: []string{clientSecret, asking("{tokenURL: https://does-not-exist.invalid/oauth/token}")},
			unseen:    true,
			reason:    v1alpha1.ReasonProviderUnreachable,
			words:     []string{"The host name of the token endpoint at does-not-exist.invalid", "DNS"},
			pace:      backOff,
			heal:      applies(credential),
		},
		{
			text:   "a certificate of an unknown authority",
			tls:    true,
			unseen: true,
			reason: v1alpha1.ReasonProviderUnreachable,
			words:  []string{"unknown authority", "tls.caRef"},
			pace:   backOff,
			heal:   applies(bundle + "---" + asking(trusting)),
		},
		{
			text:      "a CA bundle that is somebody else's",
			tls:       true,
			manifests: []string{clientSecret, bundled("$STRANGER"), asking(trusting)},
			unseen:    true,
			reason:    v1alpha1.ReasonProviderUnreachable,
			words:     []string{"none of the CAs vouches", "tls.caRef", "right CA"},
			pace:      backOff,
			heal:      applies(bundle),
		},
		{
			text:      "a CA bundle that does not exist",
			tls:       true,
			manifests: []string{clientSecret, asking(trusting)},
			reason:    v1alpha1.ReasonSourceSecretMissing,
			words:     []string{`ConfigMap "provider-ca"`, "tls.caRef", "does not exist", "create it"},
			pace:      never,
			heal:      applies(bundle),
		},
		{
			text:      "a CA bundle that is no certificate",
			tls:       true,
			manifests: []string{clientSecret, bundled("not a certificate"), asking(trusting)},
			reason:    v1alpha1.ReasonInvalidKey,
			words:     []string{"CA bundle", "tls.caRef", "no certificate in PEM form"},
			stalled:   true,
			pace:      never,
			heal:      applies(bundle),
		},
		{
			text:      "a provider that hangs for three requests",
			manifests: []string{clientSecret, asking(impatient)},
			behaviors: times(3, standin.Behavior{Fault: standin.Hang}),
			reason:    v1alpha1.ReasonProviderUnreachable,
			words:     []string{"127.0.0.1", "did not answer within 1s"},
			pace:      hanging,
		},
		{
			text:      "a provider that resets three connections",
			behaviors: times(3, standin.Behavior{Fault: standin.Reset}),
			reason:    v1alpha1.ReasonProviderUnreachable,
			words:     []string{"127.0.0.1", "connection reset"},
			pace:      backOff,
		},
		{
			text:      "a provider that breaks off within three answers",
			behaviors: times(3, standin.Behavior{Fault: standin.Truncated}),
			reason:    v1alpha1.ReasonProviderUnreachable,
			words:     []string{"127.0.0.1", "broke off within the answer"},
			pace:      backOff,
		},
	}
}

func answerRows() []*row {
	return append(limitRows(), []*row{
		{
			text:      "a provider that answers 500 three times",
			behaviors: times(3, standin.Behavior{Fault: standin.Respond, Status: http.StatusInternalServerError}),
			reason:    v1alpha1.ReasonProviderUnreachable,
			words:     []string{"cannot answer for now", "HTTP status 500", "tries again"},
			pace:      backOff,
		},
		{
			text:      "a provider that answers garbage once",
			behaviors: times(1, standin.Behavior{Fault: standin.Garbage}),
			reason:    v1alpha1.ReasonInvalidResponse,
			words:     []string{"127.0.0.1", "tokenURL is the token endpoint"},
			pace:      fromOneMinute,
		},
		{
			text: "a client that the provider refuses once",
			behaviors: times(1, standin.Behavior{
				Fault: standin.Respond, Status: http.StatusBadRequest, Body: `{"error":"unauthorized_client"}`,
			}),
			reason:  v1alpha1.ReasonProviderRejected,
			words:   []string{`"unauthorized_client"`, "client_credentials"},
			stalled: true,
			pace:    oneMinute,
		},
		asked("a web page for an answer", standin.Behavior{Fault: standin.HTML}, "tokenURL is the token endpoint"),
		asked("an answer of 10 MB", standin.Behavior{Fault: standin.Huge}, "larger than 1 MiB"),
		asked("an answer without a body", standin.Behavior{Fault: standin.Empty}, "has no body", "tokenURL is the token endpoint"),
		asked("a redirect for an answer", standin.Behavior{Fault: standin.Redirect}, "redirect to http://127.0.0.1", "never followed", "tokenURL"),
		asked("a redirect that asks for a GET", standin.Behavior{Fault: standin.Redirect, Status: http.StatusFound}, "redirect to http://127.0.0.1", "never followed", "tokenURL"),
		asked("a token that has expired already", standin.Behavior{ExpiresIn: json.RawMessage("0")}, "expiresIn is 0", "lifetime.default", "lifetime in the spec"),
		asked("an error code that OAuth does not know", standin.Behavior{
			Fault: standin.Respond, Status: http.StatusBadRequest, Body: `{"error":"tenant_locked"}`,
		}, "without a known OAuth error code", `"tenant_locked"`, "HTTP status 400"),
		{
			text:      "an error in an answer that says 200",
			behaviors: always(standin.Behavior{Fault: standin.ErrorIn200}),
			reason:    v1alpha1.ReasonProviderRejected,
			words:     []string{`"invalid_client"`, "HTTP status 200", "Check the client ID"},
			stalled:   true,
			pace:      oneMinute,
			heal:      recoversAndIsAsked,
		},
	}...)
}

// asked is a row with an answer that cannot be used, until a person has mended the
// provider and asks for a refresh.
func asked(text string, behavior standin.Behavior, words ...string) *row {
	return &row{
		text:      text,
		behaviors: always(behavior),
		reason:    v1alpha1.ReasonInvalidResponse,
		words:     append([]string{"token endpoint"}, words...),
		pace:      fromOneMinute,
		heal:      recoversAndIsAsked,
	}
}

func limitRows() []*row {
	limited := func(text string, behavior standin.Behavior, words ...string) *row {
		behavior.Fault, behavior.RetryAfter = standin.TooMany, 4*time.Second
		return &row{
			text:      text,
			behaviors: times(1, behavior),
			reason:    v1alpha1.ReasonRateLimited,
			words:     append([]string{"127.0.0.1", "limits the number of requests"}, words...),
			pace:      fourSeconds,
		}
	}
	return []*row{
		limited("a 429 that names seconds to wait", standin.Behavior{}, "HTTP status 429"),
		limited("a 429 that names a time to wait for", standin.Behavior{RetryAfterDate: true}, "HTTP status 429"),
		limited("a 503 that names seconds to wait", standin.Behavior{Status: http.StatusServiceUnavailable}, "HTTP status 503"),
		{
			text:      "a 429 that does not say how long to wait",
			behaviors: times(3, standin.Behavior{Fault: standin.TooMany}),
			reason:    v1alpha1.ReasonRateLimited,
			words:     []string{"127.0.0.1", "limits the number of requests"},
			pace:      backOff,
		},
	}
}
