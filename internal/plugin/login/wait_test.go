package login

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/status"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestSightOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	left := &grant.Login{ID: "mine", Credential: "uid", At: at.Add(time.Millisecond), Code: redact.New("code")}
	chain := func(id string, started time.Time) *grant.Chain {
		return &grant.Chain{ID: id, StartedAt: started, RotatedAt: started, RefreshToken: redact.New("r")}
	}
	record := func(chain *grant.Chain, login *grant.Login) map[string][]byte {
		t.Helper()
		data, err := (&grant.Record{Cluster: "c", Credential: "uid", Chain: chain, Login: login}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, test := range map[string]struct {
		data map[string][]byte
		want fate
	}{
		"nobody has looked":           {record(nil, left), waiting},
		"beside an old grant":         {record(chain("old", at.Add(-time.Hour)), left), waiting},
		"its tokens were taken":       {record(chain("mine", at.Add(-time.Hour)), nil), taken},
		"its code was exchanged":      {record(chain("mine", at.Add(time.Second)), nil), taken},
		"another grant has begun":     {record(chain("other", at.Add(time.Second)), nil), dropped},
		"it was dropped":              {record(nil, nil), dropped},
		"the old grant goes on":       {record(chain("old", at.Add(-time.Hour)), nil), dropped},
		"what is there is not read":   {map[string][]byte{grant.KeyRecord: []byte("{")}, waiting},
		"somebody else has logged in": {record(nil, &grant.Login{ID: "other", Credential: "uid", At: at}), dropped},
	} {
		if got := sightOf(left, test.data).fate; got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
	last := chain("mine", at)
	last.RefreshToken = redact.String{}
	if !sightOf(left, record(last, nil)).final || sightOf(left, record(chain("mine", at), nil)).final {
		t.Error("a refresh token was taken for none, or none for one")
	}
}

func TestOutlook(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *metav1.Time { return new(metav1.NewTime(now.Add(d))) }
	const good = `You are logged in: the Secret "files" holds a good token`
	for name, test := range map[string]struct {
		final  bool
		report status.Report
		want   string
	}{
		"a token, and the next one": {false, status.Report{ExpiresAt: at(time.Hour)}, ", the next one comes before it expires, in 60m."},
		"a token of unknown life":   {false, status.Report{}, "."},
		"a token, and no refresh token": {
			true,
			status.Report{ExpiresAt: at(time.Hour)},
			", but there is no refresh token: somebody has to log in again before the token expires, in 60m, at 2026-11-22T13:00:00Z.",
		},
		"no refresh token, and nobody knows until when": {
			true, status.Report{}, ", but there is no refresh token: somebody has to log in again when the token is good no longer.",
		},
		"a refresh token that ends": {
			false,
			status.Report{ExpiresAt: at(time.Hour), RefreshTokenExpiresAt: at(50 * 24 * time.Hour)},
			", the next one comes before it expires, in 60m; log in again before 2027-01-11.",
		},
		"a refresh token that renews itself": {
			false,
			status.Report{ExpiresAt: at(time.Hour), RefreshTokenExpiresAt: at(9 * 24 * time.Hour), RefreshTokenRenews: true},
			", the next one comes before it expires, in 60m.",
		},
		"one that has not been renewed": {
			false,
			status.Report{RefreshTokenExpiresAt: at(24 * time.Hour), RefreshTokenRenews: true, RefreshTokenWarning: "soon"},
			"; log in again before 2026-11-23.",
		},
	} {
		test.report.SecretName = "files"
		if got := outlook(sight{final: test.final, report: test.report}, now); got != good+test.want {
			t.Errorf("%s: got %q, want %q", name, got, good+test.want)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	noon := metav1.NewTime(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	failure := func(reason, message string, count int32, after time.Duration) *v1alpha1.LastFailure {
		return &v1alpha1.LastFailure{Reason: reason, Message: message, Count: count, FirstTime: noon, Time: metav1.NewTime(noon.Add(after))}
	}
	old := failure(v1alpha1.ReasonProviderRejected, "invalid_client", 2, 0)
	for name, test := range map[string]struct {
		before, now *v1alpha1.LastFailure
		want        bool
	}{
		"nothing has failed":              {nil, nil, false},
		"what had failed before":          {old, old.DeepCopy(), false},
		"what had failed is over":         {old, nil, false},
		"the first refusal":               {nil, old, true},
		"one more":                        {old, failure(v1alpha1.ReasonProviderRejected, "invalid_client", 3, time.Minute), true},
		"one more in the same second":     {old, failure(v1alpha1.ReasonProviderRejected, "invalid_client", 3, 0), true},
		"a row that begins anew":          {old, failure(v1alpha1.ReasonProviderRejected, "invalid_client", 2, time.Minute), true},
		"another one":                     {old, failure(v1alpha1.ReasonSourceSecretMissing, "no Secret", 2, 0), true},
		"the provider is away for now":    {old, failure(v1alpha1.ReasonProviderUnreachable, "away", 1, time.Minute), false},
		"it wants fewer requests":         {nil, failure(v1alpha1.ReasonRateLimited, "slow", 1, 0), false},
		"the login was not seen yet":      {nil, failure(v1alpha1.ReasonAuthorizationRequired, "log in", 1, 0), false},
		"the grant before it was refused": {nil, failure(v1alpha1.ReasonRefreshTokenLost, "log in", 1, 0), false},
	} {
		if got := refuses(test.before, test.now); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()
	good, err := (&grant.Record{Cluster: "c", Credential: "uid"}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data map[string][]byte
		want bool
	}{
		"nothing yet":                  {nil, true},
		"a login that waits":           {map[string][]byte{grant.KeyLogin: []byte("{}")}, true},
		"a login that cannot be read":  {map[string][]byte{grant.KeyLogin: []byte("{")}, true},
		"a grant":                      {good, true},
		"a grant beside such a login":  {map[string][]byte{grant.KeyLogin: []byte("{"), grant.KeyRecord: good[grant.KeyRecord]}, true},
		"a record that cannot be read": {map[string][]byte{grant.KeyRecord: []byte("{")}, false},
		"a record of another version":  {map[string][]byte{grant.KeyRecord: []byte(`{"version":99,"credential":"uid"}`)}, false},
	} {
		err := readable(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "files-grant"}, Data: test.data})
		if (err == nil) != test.want {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && (cli.ExitCode(err) != cli.ExitNotReady || !strings.Contains(err.Error(), "kubectl delete secret files-grant -n web")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSendsSecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request oauth.Request
		want    bool
	}{
		"a public client":         {oauth.Request{Client: oauth.ClientAuthentication{Method: oauth.MethodNone, ID: "a"}}, false},
		"a client with a secret":  {oauth.Request{Client: oauth.ClientAuthentication{Method: oauth.MethodClientSecretPost}}, true},
		"a client with a key":     {oauth.Request{Client: oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT}}, true},
		"a header of a Secret":    {oauth.Request{Client: oauth.ClientAuthentication{Method: oauth.MethodNone}, Headers: []oauth.Field{{Name: "a", Origin: redact.New("s")}}}, true},
		"a parameter of a Secret": {oauth.Request{Client: oauth.ClientAuthentication{Method: oauth.MethodNone}, Parameters: []oauth.Field{{Name: "a", Origin: redact.New("s")}}}, true},
		"a parameter of the spec": {oauth.Request{Client: oauth.ClientAuthentication{Method: oauth.MethodNone}, Parameters: []oauth.Field{{Name: "a", Value: redact.New("v"), Public: true}}}, false},
	} {
		if got := sendsSecret(test.request); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}
