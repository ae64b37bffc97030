package standin_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// resource calls a protected resource with a token.
func resource(t *testing.T, server *standin.Server, accessToken string) answer {
	t.Helper()
	return call(t, server, http.MethodGet, standin.ResourcePrefix+"news", "", header("Authorization", "Bearer "+accessToken))
}

func TestAResourceTellsOfTheToken(t *testing.T) {
	server := standin.NewSyncronex(syncronexOptions())
	got := resource(t, server, token(t, server, post(id, secret, tenant)).accessToken(t))
	issuedAt, expiresAt := got.header.Get(standin.HeaderIssuedAt), got.header.Get(standin.HeaderExpiresAt)
	if issuedAt != strconv.FormatInt(noon.UnixNano(), 10) || expiresAt != strconv.FormatInt(noon.Add(20*time.Minute).UnixNano(), 10) {
		t.Errorf("got %d, issued at %q, expires at %q", got.status, issuedAt, expiresAt)
	}
	if refused := resource(t, server, "none"); refused.header.Get(standin.HeaderIssuedAt) != "" {
		t.Error("it tells of a token that it refuses")
	}
}

func TestTokensGetAnotherLifetime(t *testing.T) {
	server := standin.NewSyncronex(syncronexOptions())
	lifetime := func() time.Duration {
		_, expiresAt, _ := server.Check(token(t, server, post(id, secret, tenant)).accessToken(t))
		return expiresAt.Sub(noon)
	}
	for set, want := range map[time.Duration]time.Duration{5 * time.Second: 5 * time.Second, time.Millisecond: time.Second} {
		if server.SetLifetime(set); lifetime() != want {
			t.Errorf("set to %s: got %s, want %s", set, lifetime(), want)
		}
	}
}

func TestAllTokensAreWithdrawn(t *testing.T) {
	now := &clock{now: noon}
	options := syncronexOptions()
	options.Clock = now.Now
	server := standin.NewSyncronex(options)
	before := token(t, server, post(id, secret, tenant)).accessToken(t)
	if got := resource(t, server, before); got.status != http.StatusOK {
		t.Fatalf("got %d before", got.status)
	}
	server.Withdraw()
	if got := resource(t, server, before); got.status != http.StatusUnauthorized {
		t.Errorf("got %d with a token that was withdrawn", got.status)
	}
	now.now = noon.Add(1)
	after := token(t, server, post(id, secret, tenant)).accessToken(t)
	if got := resource(t, server, after); got.status != http.StatusOK {
		t.Errorf("got %d with a token that was issued later", got.status)
	}
}

func TestABehaviorEndsByTheClock(t *testing.T) {
	now := &clock{now: noon}
	options := syncronexOptions()
	options.Clock = now.Now
	server := standin.NewSyncronex(options)
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Status: http.StatusBadGateway, Until: noon.Add(time.Second)})
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, http.StatusBadGateway}, {time.Second - 1, http.StatusBadGateway}, {time.Second, http.StatusOK}} {
		now.now = noon.Add(step.after)
		if got := token(t, server, post(id, secret, tenant)); got.status != step.want {
			t.Errorf("after %s: got %d, want %d", step.after, got.status, step.want)
		}
	}
}
