package resolve_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// objects is a namespace to read from.
type objects struct {
	secrets    map[string]*corev1.Secret
	configMaps map[string]*corev1.ConfigMap
	err        error
	reads      int
}

func (o *objects) Secret(_ context.Context, _, name string) (*corev1.Secret, error) {
	o.reads++
	if secret, ok := o.secrets[name]; ok || o.err != nil {
		return secret, o.err
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
}

func (o *objects) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	o.reads++
	if configMap, ok := o.configMaps[name]; ok || o.err != nil {
		return configMap, o.err
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, name)
}

func (o *objects) ServiceAccountToken(context.Context, string, v1alpha1.ServiceAccountToken) (redact.String, error) {
	return redact.New("a.b.c"), o.err
}

// planned resolves a credential that needs no provider but its own.
func planned(t *testing.T, c *v1alpha1.OAuthCredential, reader *objects) (resolve.Resolved, error) {
	t.Helper()
	plan, err := resolve.Join(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	resolver := resolve.Resolver{Reader: reader, Expressions: expression.NewCompiler(), Now: time.Now}
	return resolver.Resolve(t.Context(), plan)
}

func namespace() *objects {
	return &objects{
		secrets: map[string]*corev1.Secret{
			"client": {
				ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"},
				Data:       map[string][]byte{"id": []byte("me"), "secret": []byte("s3cret"), "app": []byte("app-token"), "empty": {}},
			},
			"admin": {Type: corev1.SecretTypeServiceAccountToken, Data: map[string][]byte{"token": []byte("x")}},
		},
		configMaps: map[string]*corev1.ConfigMap{
			"ca": {ObjectMeta: metav1.ObjectMeta{ResourceVersion: "9"}, Data: map[string]string{"ca.crt": "PEM"}},
		},
	}
}

func ref(name, key string) *v1alpha1.SecretKeyReference {
	return &v1alpha1.SecretKeyReference{Name: name, Key: key}
}

func credential(change func(*v1alpha1.OAuthCredentialSpec)) *v1alpha1.OAuthCredential {
	c := &v1alpha1.OAuthCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "c"},
		Spec: v1alpha1.OAuthCredentialSpec{
			Provider:  &v1alpha1.Endpoint{TokenURL: "https://as.example/token"},
			GrantType: v1alpha1.GrantClientCredentials,
			Client:    v1alpha1.Client{IDRef: ref("client", "id"), SecretRef: ref("client", "secret")},
		},
	}
	change(&c.Spec)
	return c
}

func TestRequest(t *testing.T) {
	t.Parallel()
	reader := namespace()
	resolved, err := planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Scopes = []string{"read", "write"}
		s.Provider.Timeout = &metav1.Duration{Duration: 3 * time.Second}
		s.Provider.TLS = &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: v1alpha1.KindConfigMap, Name: "ca", Key: "ca.crt"}}
		s.Provider.Request.Headers = []v1alpha1.Header{{Name: "X-A", Value: new("provider")}, {Name: "X-B", Value: new("b")}}
		s.Request.Headers = []v1alpha1.Header{{Name: "x-a", ValueFrom: &v1alpha1.ValueSource{SecretKeyRef: *ref("client", "app")}}}
	}), reader)
	if err != nil {
		t.Fatal(err)
	}
	request := resolved.Request
	if request.Pool != "web" || request.Timeout != 3*time.Second || string(request.CABundle) != "PEM" || len(request.Scopes) != 2 {
		t.Errorf("wrong request: %+v", request)
	}
	if c := request.Client; c.Method != oauth.MethodClientSecretBasic || c.ID != "me" || c.Secret.Reveal() != "s3cret" {
		t.Errorf("wrong client: method %s, id %s", c.Method, c.ID)
	}
	if h := request.Headers; len(h) != 2 || h[0].Name != "x-a" || h[0].Value.Reveal() != "app-token" || h[1].Name != "X-B" {
		t.Error("the credential's header does not replace the provider's")
	}
	want := []v1alpha1.SourceVersion{
		{Kind: v1alpha1.KindConfigMap, Name: "ca", ResourceVersion: "9"},
		{Kind: v1alpha1.KindSecret, Name: "client", ResourceVersion: "7"},
	}
	if len(resolved.Versions) != 2 || resolved.Versions[0] != want[0] || resolved.Versions[1] != want[1] {
		t.Errorf("got versions %v, want %v", resolved.Versions, want)
	}
	if reader.reads != 2 {
		t.Errorf("%d reads, want one per object", reader.reads)
	}
}

func TestTheMethodFollowsFromTheClient(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*v1alpha1.OAuthCredentialSpec)
		want   oauth.Method
	}{
		"a secret means basic": {func(*v1alpha1.OAuthCredentialSpec) {}, oauth.MethodClientSecretBasic},
		"no secret means none": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client = v1alpha1.Client{ID: "me"} }, oauth.MethodNone},
		"no client means none": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client = v1alpha1.Client{} }, oauth.MethodNone},
		"what is said is done": {
			func(s *v1alpha1.OAuthCredentialSpec) {
				s.Provider.ClientAuthentication.Method = v1alpha1.ClientSecretPost
			}, oauth.MethodClientSecretPost,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resolved, err := planned(t, credential(test.change), namespace())
			if err != nil || resolved.Request.Client.Method != test.want {
				t.Errorf("got %q and error %v, want %q", resolved.Request.Client.Method, err, test.want)
			}
		})
	}
}

func TestWhatIsWrongWithASource(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*v1alpha1.OAuthCredentialSpec)
		problem resolve.Problem
	}{
		"no such Secret":       {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("nowhere", "secret") }, resolve.NotFound},
		"no such key":          {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("client", "nothing") }, resolve.KeyMissing},
		"nothing under it":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("client", "empty") }, resolve.Empty},
		"a Secret with powers": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("admin", "token") }, resolve.Forbidden},
		"no such ConfigMap": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.TLS = &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: v1alpha1.KindConfigMap, Name: "nowhere", Key: "k"}}
		}, resolve.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := planned(t, credential(test.change), namespace())
			var source *resolve.SourceError
			if !errors.As(err, &source) || source.Problem != test.problem {
				t.Fatalf("got %v, want %q", err, test.problem)
			}
		})
	}
}

func TestAnAPIServerInTroubleIsNobodysMistake(t *testing.T) {
	t.Parallel()
	reader := namespace()
	reader.err = errors.New("the server is away")
	_, err := planned(t, credential(func(*v1alpha1.OAuthCredentialSpec) {}), reader)
	var source *resolve.SourceError
	if err == nil || errors.As(err, &source) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func TestInputsHash(t *testing.T) {
	t.Parallel()
	hash := func(change func(*v1alpha1.OAuthCredentialSpec)) string {
		plan, err := resolve.Join(credential(change), nil)
		if err != nil {
			t.Fatal(err)
		}
		return plan.InputsHash()
	}
	base := hash(func(*v1alpha1.OAuthCredentialSpec) {})
	for name, test := range map[string]struct {
		change func(*v1alpha1.OAuthCredentialSpec)
		same   bool
	}{
		"scopes":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"a"} }, false},
		"token URL":  {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenURL += "2" }, false},
		"client":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.ID = "other" }, false},
		"data":       {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Data = map[string]v1alpha1.Expression{"a": "'b'"} }, false},
		"lifetime":   {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Lifetime.ExpiresInUnit = "Minutes" }, false},
		"parameters": {func(s *v1alpha1.OAuthCredentialSpec) { s.Request.Parameters = []v1alpha1.Parameter{{Name: "a"}} }, false},
		"timeout":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Timeout = &metav1.Duration{} }, true},
		"refresh":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Refresh.AfterPercent = new(int32(50)) }, true},
		"secret":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Name = "other" }, true},
		"suspend":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Suspend = true }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := hash(test.change); (got == base) != test.same {
				t.Errorf("the hash is the same: %t, want %t", got == base, test.same)
			}
		})
	}
	// A hash in a Secret outlives the release that wrote it: with another one, every
	// token of every cluster would be asked for again.
	if want := "c78612adaa9dce0030f76887274523d7"; base != want {
		t.Errorf("the hash of a plain credential is %s, and was %s", base, want)
	}
}
