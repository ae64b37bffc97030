package login

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestFateOf(t *testing.T) {
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
		if got := fateOf(left, test.data); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
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
