package integration_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/grant"
	protocol "github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// redirectURI is where a browser would be sent back to. Nobody listens there.
const redirectURI = "http://127.0.0.1:9/callback"

// declareLogin applies a credential that begins with a login.
func (t *tenant) declareLogin(ctx context.Context, name string, lines ...string) {
	GinkgoHelper()
	t.endpoint = "authorizationURL: '" + t.base() + standin.AuthorizePath + "', "
	t.declare(ctx, name, append(lines, "grantType: authorization_code")...)
}

// plan is that of a credential which names its endpoint itself.
func (t *tenant) plan(ctx context.Context, name string) *resolve.Plan {
	GinkgoHelper()
	plan, err := resolve.Join(t.credential(ctx, name), nil)
	Expect(err).NotTo(HaveOccurred())
	return plan
}

// consented is what a person leaves who has consented to what a credential asks for: a
// code that nobody has exchanged yet.
func (t *tenant) consented(ctx context.Context, name string) *grant.Login {
	GinkgoHelper()
	credential := t.credential(ctx, name)
	verifier, err := protocol.NewCodeVerifier(rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	asked := protocol.AuthorizationRequest{
		AuthorizationURL: t.base() + standin.AuthorizePath, ClientID: name, RedirectURI: redirectURI,
		Scopes: credential.Spec.Scopes, State: redact.New(rand.Text()), CodeChallenge: protocol.CodeChallenge(verifier),
	}
	page, err := asked.URL(true)
	Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader("decision=allow"))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request) // A client would follow the redirect.
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	Expect(response.StatusCode).To(Equal(http.StatusSeeOther))
	back, err := url.Parse(response.Header.Get("Location"))
	Expect(err).NotTo(HaveOccurred())
	code, err := protocol.ParseCallback(back.Query(), protocol.Expectation{State: asked.State})
	Expect(err).NotTo(HaveOccurred())
	return &grant.Login{
		ID: rand.Text(), Credential: string(credential.UID), At: time.Now(), Consent: t.plan(ctx, name).Consent(),
		Code: code, Verifier: verifier, RedirectURI: redirectURI,
	}
}

// redeemed exchanges the code of a login, as a person does who may see the client's
// secret.
func (t *tenant) redeemed(ctx context.Context, name string, login *grant.Login) *grant.Login {
	GinkgoHelper()
	client := protocol.NewClient(protocol.Options{
		Egress:            egress.NewPolicy(egress.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		AllowInsecureHTTP: true, Now: time.Now, Random: rand.Reader,
	})
	defer client.CloseIdleConnections()
	t.namesakes = true // The person asks as the same client as the operator does.
	answer, err := client.Token(ctx, protocol.Request{
		TokenURL:  t.url,
		Client:    protocol.ClientAuthentication{Method: protocol.MethodClientSecretBasic, ID: name, Secret: redact.New(name + "-password")},
		GrantType: "authorization_code",
		Grant: []protocol.Field{
			{Name: "code", Value: login.Code}, {Name: "code_verifier", Value: login.Verifier}, {Name: "redirect_uri", Value: redact.New(login.RedirectURI)},
		},
		Timeout: patience,
	})
	Expect(err).NotTo(HaveOccurred())
	done := *login
	done.At, done.Code, done.Verifier, done.RedirectURI = answer.Sent, redact.String{}, redact.String{}, ""
	done.RefreshToken = answer.RefreshToken
	done.Token = &grant.Token{Answer: answer, ClientID: name, InputsHash: t.plan(ctx, name).InputsHash()}
	return &done
}

// leaveLogin puts a login where the operator looks for it.
func (t *tenant) leaveLogin(ctx context.Context, name string, login *grant.Login) {
	GinkgoHelper()
	encoded, err := login.Encode()
	Expect(err).NotTo(HaveOccurred())
	if secret := t.secret(ctx, name+"-grant"); secret != nil {
		secret.Data[grant.KeyLogin] = encoded
		Expect(controlPlane.Client.Update(ctx, secret)).To(Succeed())
		return
	}
	Expect(controlPlane.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: t.namespace, Name: name + "-grant",
			Labels: map[string]string{
				v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: name, v1alpha1.LabelRole: v1alpha1.RoleGrant,
			},
		},
		Data: map[string][]byte{grant.KeyLogin: encoded},
	})).To(Succeed())
}

// says waits until the message of a credential's Ready condition holds some texts.
func (t *tenant) says(ctx context.Context, name string, texts ...string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		message := t.message(ctx, name)
		for _, text := range texts {
			g.Expect(message).To(ContainSubstring(text))
		}
	}).Should(Succeed())
}

// history are the states that a credential has had, oldest first.
func (t *tenant) history(name string) []string {
	var told []string
	for _, status := range observed.statuses(t.namespace, name) {
		if len(status.Conditions) > 0 {
			told = append(told, line(status.Conditions, true))
		}
	}
	return slices.Compact(told)
}
