package resolve_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

func TestBootstrap(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		data    map[string]string
		value   string
		version string
		problem resolve.Problem
	}{
		"a value":        {map[string]string{"token": "r3fresh"}, "r3fresh", "3", ""},
		"no such Secret": {nil, "", "", resolve.NotFound},
		"no such key":    {map[string]string{"other": "r3fresh"}, "", "3", resolve.KeyMissing},
		"an empty key":   {map[string]string{"token": ""}, "", "3", resolve.Empty},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := namespace()
			if test.data != nil {
				reader.with(tenant, "bootstrap", "3", test.data)
			}
			value, version, err := resolver(reader, &issuers{}).Bootstrap(t.Context(), join(t, credential(refreshing), nil))
			if value.Reveal() != test.value || version != test.version {
				t.Errorf("got %q of version %q", value.Reveal(), version)
			}
			if test.problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			expectProblem(t, name, err, test.problem)
			expectText(t, err.Error(), "spec.refreshToken.bootstrapRef")
		})
	}
}

func TestBootstrapOfASecretWithPowers(t *testing.T) {
	t.Parallel()
	reader := namespace().with(tenant, "bootstrap", "3", map[string]string{"token": "x"})
	reader.secrets[tenant+"/bootstrap"].Type = corev1.SecretTypeServiceAccountToken
	value, _, err := resolver(reader, &issuers{}).Bootstrap(t.Context(), join(t, credential(refreshing), nil))
	expectProblem(t, "powers", err, resolve.Forbidden)
	if !value.IsEmpty() {
		t.Error("its value is answered nevertheless")
	}
}

func TestNoBootstrap(t *testing.T) {
	t.Parallel()
	reader := namespace()
	value, version, err := resolver(reader, &issuers{}).Bootstrap(t.Context(), join(t, granted(v1alpha1.GrantAuthorizationCode), nil))
	if !value.IsEmpty() || version != "" || err != nil || reader.reads != 0 {
		t.Errorf("got version %q after %d reads: %v", version, reader.reads, err)
	}
}

// TestTheFirstRefreshTokenIsASource, but not the client's: a new one is looked at for its
// own sake.
func TestTheFirstRefreshTokenIsASource(t *testing.T) {
	t.Parallel()
	for _, source := range resolve.CredentialSources(credential(refreshing)) {
		if source.Name == "bootstrap" {
			if source.Client || source.Namespace != tenant || source.Kind != v1alpha1.KindSecret {
				t.Errorf("got %+v", source)
			}
			return
		}
	}
	t.Error("its Secret is not watched")
}
