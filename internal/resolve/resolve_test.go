package resolve_test

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

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
