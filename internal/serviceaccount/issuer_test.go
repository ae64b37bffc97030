package serviceaccount_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/serviceaccount"
)

const clusterIssuer = "https://kubernetes.default.svc"

// jwt makes a token of claims; nobody looks at its signature.
func jwt(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

// cluster has one ServiceAccount, web/robot, and issues what it is told to.
type cluster struct {
	client.Reader
	client.SubResourceWriter

	consent   string
	getErr    error
	createErr error
	token     string

	requests []authenticationv1.TokenRequestSpec
}

func (c *cluster) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	if c.getErr != nil {
		return c.getErr
	}
	if key.Namespace != "web" || key.Name != "robot" {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "serviceaccounts"}, key.Name)
	}
	account := object.(*corev1.ServiceAccount)
	account.ObjectMeta = metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}
	if c.consent != "" {
		account.Annotations = map[string]string{v1alpha1.AnnotationAudiences: c.consent}
	}
	return nil
}

func (c *cluster) Create(_ context.Context, _, subResource client.Object, _ ...client.SubResourceCreateOption) error {
	request := subResource.(*authenticationv1.TokenRequest)
	c.requests = append(c.requests, request.Spec)
	request.Status.Token = c.token
	return c.createErr
}

// issued is a token that a cluster issues for these audiences.
func issued(t *testing.T, audiences any) string {
	t.Helper()
	return jwt(t, map[string]any{"iss": clusterIssuer, "sub": "system:serviceaccount:web:robot", "aud": audiences})
}

func issuer(t *testing.T, c *cluster) *serviceaccount.Issuer {
	t.Helper()
	return &serviceaccount.Issuer{
		Enabled: true, Reader: c, Tokens: c,
		Own: serviceaccount.ReadIdentity(jwt(t, map[string]any{
			"iss": clusterIssuer, "sub": "system:serviceaccount:tokensync-system:tokensync", "aud": []string{"k3s", "api-server"},
		}) + "\n"),
	}
}

// expectRefusal checks for a *resolve.SpecError that says this and that.
func expectRefusal(t *testing.T, err error, parts ...string) {
	t.Helper()
	var spec *resolve.SpecError
	if !errors.As(err, &spec) || spec.Reason != v1alpha1.ReasonServiceAccountRefused {
		t.Fatalf("got %v, want a refusal", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestTokenOfAServiceAccountThatConsents(t *testing.T) {
	t.Parallel()
	for consent, audience := range map[string]string{
		"api":                    "api",
		"other, api ,another":    "api",
		"\n  api://x,\n  api://": "api://x",
	} {
		c := &cluster{consent: consent, token: issued(t, []string{audience})}
		got, err := issuer(t, c).Token(t.Context(), "web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: audience})
		if err != nil || got.Reveal() != c.token {
			t.Errorf("%q: got error %v", consent, err)
		}
		if len(c.requests) != 1 || len(c.requests[0].Audiences) != 1 || c.requests[0].Audiences[0] != audience || *c.requests[0].ExpirationSeconds != 600 {
			t.Errorf("%q: asked for %v", consent, c.requests)
		}
	}
	c := &cluster{consent: "api", token: issued(t, "api")}
	_, err := issuer(t, c).Token(t.Context(), "web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api", ExpirationSeconds: new(int64(3600))})
	if err != nil || *c.requests[0].ExpirationSeconds != 3600 {
		t.Errorf("asked for %v, with error %v", c.requests, err)
	}
}

// TestTokensThatAreNotAskedFor: none of these may cost the cluster a token.
func TestTokensThatAreNotAskedFor(t *testing.T) {
	t.Parallel()
	robot := v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api"}
	for name, test := range map[string]struct {
		namespace string
		ref       v1alpha1.ServiceAccountToken
		consent   string
		disabled  bool
		says      string
	}{
		"without the rights":            {"web", robot, "api", true, "serviceAccountTokens.enabled"},
		"without consent":               {"web", robot, "", false, v1alpha1.AnnotationAudiences},
		"with consent to another":       {"web", robot, "api2,ap,API", false, "does not consent"},
		"with consent to a part":        {"web", robot, "api other", false, "does not consent"},
		"with consent to everything":    {"web", robot, "*", false, "does not consent"},
		"for no audience":               {"web", v1alpha1.ServiceAccountToken{Name: "robot"}, ",", false, "does not consent"},
		"for no audience and no list":   {"web", v1alpha1.ServiceAccountToken{Name: "robot"}, "", false, "does not consent"},
		"for the cluster's issuer":      {"web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: clusterIssuer}, clusterIssuer, false, "the cluster's own"},
		"for an audience of the server": {"web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api-server"}, "api-server", false, "the cluster's own"},
		"of the operator's own account": {"tokensync-system", v1alpha1.ServiceAccountToken{Name: "tokensync", Audience: "api"}, "api", false, "tokensync's own"},
		"of one that is not there":      {"web", v1alpha1.ServiceAccountToken{Name: "nobody", Audience: "api"}, "api", false, "does not exist"},
		"of one of another namespace":   {"other", robot, "api", false, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cluster{consent: test.consent, token: issued(t, []string{test.ref.Audience})}
			i := issuer(t, c)
			i.Enabled = !test.disabled
			_, err := i.Token(t.Context(), test.namespace, test.ref)
			expectRefusal(t, err, test.says)
			if len(c.requests) != 0 {
				t.Errorf("asked for %v", c.requests)
			}
		})
	}
}

// TestTokensThatAreNotUsed are those that a cluster issues for more, or for something
// else, than it was asked for.
func TestTokensThatAreNotUsed(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"for two audiences":     issued(t, []string{"api", clusterIssuer}),
		"for another audience":  issued(t, []string{clusterIssuer}),
		"for no audience":       issued(t, []string{}),
		"without an audience":   jwt(t, map[string]any{"iss": clusterIssuer}),
		"with a null audience":  issued(t, nil),
		"with a wrong audience": issued(t, map[string]any{"api": true}),
		"that is no JWT":        "opaque",
		"that is empty":         "",
		"that is not base64":    "e30.?.c2ln",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cluster{consent: "api", token: token}
			got, err := issuer(t, c).Token(t.Context(), "web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api"})
			expectRefusal(t, err, "it is not used")
			if !got.IsEmpty() {
				t.Error("it is answered")
			}
		})
	}
}

// TestAnOperatorThatDoesNotKnowTheCluster has no token of its own to compare with, as when
// it runs outside: then the token that was issued tells the issuer.
func TestAnOperatorThatDoesNotKnowTheCluster(t *testing.T) {
	t.Parallel()
	for _, own := range []string{"", "not a token", "e30.bm90IGpzb24.c2ln"} {
		c := &cluster{consent: clusterIssuer, token: issued(t, []string{clusterIssuer})}
		i := issuer(t, c)
		i.Own = serviceaccount.ReadIdentity(own)
		_, err := i.Token(t.Context(), "web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: clusterIssuer})
		expectRefusal(t, err, "the cluster's own")
	}
}

func TestTroubleWithTheAPIServer(t *testing.T) {
	t.Parallel()
	away := errors.New("the server is away")
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "serviceaccounts"}, "robot", errors.New("no"))
	for name, test := range map[string]struct {
		cluster cluster
		refused string
	}{
		"on the way to the account": {cluster{getErr: away}, ""},
		"on the way to a token":     {cluster{createErr: away}, ""},
		"no right to read":          {cluster{getErr: forbidden}, "the verb get on serviceaccounts"},
		"no right to ask":           {cluster{createErr: forbidden}, "the verb create on serviceaccounts/token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.cluster.consent, test.cluster.token = "api", issued(t, "api")
			_, err := issuer(t, &test.cluster).Token(t.Context(), "web", v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api"})
			if test.refused != "" {
				expectRefusal(t, err, test.refused)
				return
			}
			var spec *resolve.SpecError
			if !errors.Is(err, away) || errors.As(err, &spec) {
				t.Errorf("got %v, want the server's error", err)
			}
		})
	}
}

func TestReadIdentity(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token string
		want  serviceaccount.Identity
	}{
		"a list": {jwt(t, map[string]any{"iss": "i", "sub": "s", "aud": []string{"a", "b"}}), serviceaccount.Identity{Issuer: "i", Subject: "s", Audiences: []string{"a", "b"}}},
		"a text": {jwt(t, map[string]any{"iss": "i", "sub": "s", "aud": "a"}), serviceaccount.Identity{Issuer: "i", Subject: "s", Audiences: []string{"a"}}},
		"none":   {jwt(t, map[string]any{"iss": "i"}), serviceaccount.Identity{Issuer: "i"}},
		"wrong":  {jwt(t, map[string]any{"iss": "i", "aud": 7}), serviceaccount.Identity{}},
		"opaque": {"opaque", serviceaccount.Identity{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serviceaccount.ReadIdentity(test.token)
			if got.Issuer != test.want.Issuer || got.Subject != test.want.Subject || strings.Join(got.Audiences, " ") != strings.Join(test.want.Audiences, " ") {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzReadIdentity(f *testing.F) {
	f.Add("e30.e30.e30")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if own := serviceaccount.ReadIdentity(token); own.Issuer != "" && strings.Count(token, ".") != 2 {
			t.Errorf("read %+v", own)
		}
	})
}
