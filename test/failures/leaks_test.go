package failures_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The values that only their Secrets may hold, with characters that each encoding
// writes in its own way.
const (
	firstSecret  = `s3cr3t/first+one&"two"=%<e>`
	secondSecret = `s3cr3t/second+one&"two"=%<e>`
	appToken     = "application-token/9c+41&5=e"
	apiKey       = "api-key-in-a-parameter/3+d&9="
	answered     = "token.of.an.answer-that_cannot/be+used"
)

// secrets holds them all; $SECRET stands for the client secret.
const secrets = `
apiVersion: v1
kind: Secret
metadata: {name: app-client}
stringData:
  client_secret: $SECRET
  app_token: ` + appToken + `
  api_key: ` + apiKey + `
`

// secretive are credentials that send their secrets in every place there is; $N
// stands for a number.
const secretive = `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: basic-$N}
spec:
  provider:
    tokenURL: $PLAIN/oauth/token
    request:
      parameters:
      - {name: api_key, valueFrom: {secretKeyRef: {name: app-client, key: api_key}}}
  client: {id: basic-$N, secretRef: {name: app-client, key: client_secret}}
  secret: {name: basic-$N-token}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: post-$N}
spec:
  provider:
    tokenURL: $PLAIN/oauth/token
    clientAuthentication: {method: client_secret_post}
  client: {id: post-$N, secretRef: {name: app-client, key: client_secret}}
  secret: {name: post-$N-token}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: header-$N}
spec:
  provider:
    tokenURL: $HEADER/oauth/token
    clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}
  client: {id: header-$N, secretRef: {name: app-client, key: client_secret}}
  request:
    headers:
    - {name: Sync-App-Token, valueFrom: {secretKeyRef: {name: app-client, key: app_token}}}
  secret: {name: header-$N-token}
`

// hostile are answers that give away what they were sent, or what they answer.
func hostile() []standin.Behavior {
	behaviors := []standin.Behavior{
		{Fault: standin.Echo},
		{Fault: standin.Echo, Status: http.StatusInternalServerError},
		{Fault: standin.Echo, Status: http.StatusTooManyRequests},
		{Fault: standin.Echo, Status: http.StatusOK},
		{Fault: standin.Redirect, Location: "https://" + url.PathEscape(secondSecret) + ".example.com/" + url.PathEscape(secondSecret)},
		{Fault: standin.Redirect, Location: "https://s3cr3t.example.com/?" + url.QueryEscape(secondSecret)},
		{Fault: standin.Respond, Status: http.StatusOK, ContentType: secondSecret, Body: secondSecret},
		{Fault: standin.Respond, Status: http.StatusOK, Body: `{"access_token":"` + answered + `","token_type":"dpop","error_description":"` + answered + `"}`},
		{Fault: standin.Respond, Status: http.StatusOK, Body: `{"access_token":"` + answered + `","expires_in":"` + answered + `"}`},
	}
	for _, form := range forms(secondSecret) {
		said, err := json.Marshal(map[string]string{"error": form, "error_description": "not " + form + ", and not " + form + "!"})
		Expect(err).NotTo(HaveOccurred())
		behaviors = append(behaviors, standin.Behavior{Fault: standin.Respond, Status: http.StatusBadRequest, Body: string(said)})
	}
	return behaviors
}

var _ = Describe("What is secret", func() {
	It("is nowhere but in its Secret, whatever the provider answers", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		plain := &recording{Server: standin.NewOAuth(standin.Options{AnyClient: anySecret})}
		header := &recording{Server: standin.NewSyncplicity(standin.Options{AnyClient: anySecret})}
		process := startOperator(ctx, []string{namespace}, "--log-level=trace")
		issued := func() []string { return append(plain.tokens(), header.tokens()...) }

		var all []string
		var behaviors []standin.Behavior
		apply(ctx, namespace, withSecret(firstSecret))
		for i, behavior := range hostile() {
			// At addresses of their own, so that those who fail are in nobody's way.
			apply(ctx, namespace, strings.NewReplacer("$N", fmt.Sprint(i), "$PLAIN", plain.listen(), "$HEADER", header.listen()).Replace(secretive))
			for _, kind := range []string{"basic", "post", "header"} {
				behavior.ClientID = fmt.Sprintf("%s-%d", kind, i)
				behaviors, all = append(behaviors, behavior), append(all, behavior.ClientID)
			}
		}
		expectReady(ctx, namespace, all...)
		apply(ctx, namespace, withSecret(secondSecret))
		Eventually(issued).WithContext(ctx).Should(HaveLen(2 * len(all)))
		expectReady(ctx, namespace, all...)

		plain.Misbehave(behaviors...)
		header.Misbehave(behaviors...)
		for _, name := range all {
			askForRefresh(ctx, namespace, name)
		}
		Eventually(func() []string { return unfailed(namespace, all) }).WithContext(ctx).WithTimeout(20 * time.Second).Should(BeEmpty())

		known := map[string]string{
			"the first client secret": firstSecret, "the second client secret": secondSecret,
			"the application token": appToken, "the API key": apiKey, "the answered token": answered,
		}
		for i, token := range issued() {
			known[fmt.Sprintf("token %d", i)] = token
		}
		expectNowhere(ctx, namespace, process, known)
	})
})

// withSecret is the manifest of the client Secret.
func withSecret(secret string) string {
	GinkgoHelper()
	quoted, err := json.Marshal(secret)
	Expect(err).NotTo(HaveOccurred())
	return strings.ReplaceAll(secrets, "$SECRET", string(quoted))
}

func anySecret(_, secret string) bool { return secret == firstSecret || secret == secondSecret }

// unfailed are the credentials that have not met their hostile answer yet.
func unfailed(namespace string, names []string) []string {
	var waiting []string
	for _, name := range names {
		failed := func(v version) bool { return v.credential.Status.LastFailure != nil }
		if !slices.ContainsFunc(credentials.of(namespace, name), failed) {
			waiting = append(waiting, name)
		}
	}
	return waiting
}
