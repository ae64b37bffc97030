package grant_test

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const (
	cluster    = "cluster-1"
	credential = "credential-1"
	inputs     = "inputs-1"
)

// base is when most tests begin.
var base = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// self and other are two processes that know nothing of each other.
var (
	self  = grant.Owner{Namespace: "tokensync-system", Pod: "operator-a", UID: "pod-a", Host: "operator-a", PID: 1, Boot: "boot-a"}
	other = grant.Owner{Namespace: "tokensync-system", Pod: "operator-b", UID: "pod-b", Host: "operator-b", PID: 1, Boot: "boot-b"}
)

// answered is what an answer brings.
func answered(refreshToken string, at time.Time) grant.Taken {
	return grant.Taken{RefreshToken: redact.New(refreshToken), Token: accessToken("access to "+refreshToken, at), At: at}
}

func accessToken(value string, sent time.Time) *grant.Token {
	return &grant.Token{
		Answer:   &oauth.Answer{AccessToken: redact.New(value), TokenType: "Bearer", Sent: sent, Received: sent.Add(time.Second)},
		ClientID: "client", InputsHash: inputs,
	}
}

// newRecord has a chain that was refreshed once, to the refresh token R1.
func newRecord(t *testing.T) *grant.Record {
	t.Helper()
	r := grant.NewRecord(cluster, credential)
	sent := begin(t, r, grant.Step{Kind: grant.Refresh, Value: redact.New("R0")}, "first", base)
	if !r.Keep(sent, answered("R1", base)) {
		t.Fatal("the first answer was not kept")
	}
	return r
}

// begin begins an attempt, whose process is this one.
func begin(t *testing.T, r *grant.Record, step grant.Step, id string, at time.Time) grant.Attempt {
	t.Helper()
	step.Action = grant.Send
	if r.Begin(step, id, self, at).IsEmpty() {
		t.Fatal("there is nothing to send")
	}
	return *r.Attempt
}

// viewOf is the view of a record whose target holds the token that the record has.
func viewOf(r *grant.Record) grant.View {
	v := grant.View{Record: r, Cluster: cluster, Credential: credential, InputsHash: inputs, Now: base.Add(time.Minute)}
	if token := r.Chain.LastToken(); token != nil {
		v.Kept = lifetime.Token{IssuedAt: token.Answer.Sent, ExpiresAt: token.Answer.Sent.Add(time.Hour)}
		v.Holds, v.Held = true, v.Kept
	}
	return v
}

// reread is a record as another process reads it.
func reread(t *testing.T, r *grant.Record) *grant.Record {
	t.Helper()
	data, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := grant.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// refreshTokenOf is the refresh token of the chain.
func refreshTokenOf(r *grant.Record) string { return r.Chain.RefreshToken.Reveal() }

// loginWith is a login of this credential.
func loginWith(id string) *grant.Login {
	return &grant.Login{ID: id, Credential: credential, At: base, Consent: "consent"}
}

// tokensOf makes a login one whose code was exchanged already.
func tokensOf(l *grant.Login, refreshToken string) *grant.Login {
	l.RefreshToken, l.Token = redact.New(refreshToken), accessToken("access to "+refreshToken, l.At)
	return l
}

// codeOf makes a login one whose code the operator exchanges.
func codeOf(l *grant.Login, code string) *grant.Login {
	l.Code, l.Verifier, l.RedirectURI = redact.New(code), redact.New("verifier"), "http://127.0.0.1:8000/"
	return l
}
