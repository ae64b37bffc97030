package standin_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

func (a answer) accessToken(t *testing.T) string {
	t.Helper()
	var told struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.text), &told); err != nil {
		t.Fatal(err)
	}
	return told.AccessToken
}

func TestCheckFollowsTheClock(t *testing.T) {
	now := &clock{now: noon}
	options := syncronexOptions()
	options.Clock, options.Key = now.Now, []byte("key")
	server := standin.NewSyncronex(options)
	issued := token(t, server, post(id, secret, tenant)).accessToken(t)

	clientID, expiresAt, ok := server.Check(issued)
	if clientID != id || !expiresAt.Equal(noon.Add(20*time.Minute)) || !ok {
		t.Errorf("got %s, %s, %t", clientID, expiresAt, ok)
	}
	if _, _, ok := standin.NewSyncronex(options).Check(issued); !ok {
		t.Error("a server with the same key does not know the token")
	}
	if _, _, ok := standin.NewSyncronex(syncronexOptions()).Check(issued); ok {
		t.Error("a server with another key knows the token")
	}
	for _, forged := range []string{"", "x", issued[1:], issued[:len(issued)-4] + "AAAA", strings.Repeat("A", len(issued))} {
		if _, _, ok := server.Check(forged); ok {
			t.Errorf("%q is good", forged)
		}
	}
	now.now = noon.Add(20*time.Minute - 1)
	if _, _, ok := server.Check(issued); !ok {
		t.Error("it expired too early")
	}
	now.now = noon.Add(20 * time.Minute)
	if _, _, ok := server.Check(issued); ok {
		t.Error("it is good at the instant at which it expires")
	}
}

func TestResource(t *testing.T) {
	now := &clock{now: noon}
	options := syncronexOptions()
	options.Clock = now.Now
	server := standin.NewSyncronex(options)
	issued := token(t, server, post(id, secret, tenant)).accessToken(t)
	call := func(authorization string) (status int, text string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/files/1", nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if status, text := call("Bearer " + issued); status != 200 || text != `{"client_id":"app_acme_news_prod","expires_at":"2022-12-01T20:19:20.75Z"}` {
		t.Errorf("got %d %s", status, text)
	}
	for _, bad := range []string{"", "Bearer", "Bearer x", "BearerToken " + issued, issued} {
		if status, _ := call(bad); status != http.StatusUnauthorized {
			t.Errorf("%q: %d", bad, status)
		}
	}
	now.now = noon.Add(time.Hour)
	if status, _ := call("Bearer " + issued); status != http.StatusUnauthorized {
		t.Errorf("expired: %d", status)
	}
	counts := server.Counts()
	if counts.Outcomes[standin.Served] != 1 || counts.Outcomes[standin.Denied] != 6 || counts.Requests != 1 {
		t.Errorf("counted %+v", counts)
	}
}

func TestViolationsAreNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		rule  standin.Rule
		edits []edit
	}{
		"the secret twice": {standin.SecretTwice, []edit{rawBasic(id, secret)}},
		"the secret in the URL": {standin.SecretInURL, []edit{func(r *http.Request, _ url.Values) {
			r.URL.RawQuery = url.Values{"q": {secret}}.Encode()
		}}},
		"a credential in the URL": {standin.SecretInURL, []edit{func(r *http.Request, _ url.Values) { r.URL.RawQuery = "client_id=x" }}},
		"a hop-by-hop header":     {standin.UnknownHeader, []edit{header("Proxy-Authorization", "x")}},
		"keep-alive":              {standin.UnknownHeader, []edit{header("Connection", "keep-alive")}},
		"a referrer":              {standin.FollowedRedirect, []edit{header("Referer", "http://a")}},
		"an odd parameter":        {standin.UnknownParameter, []edit{parameter("audience", "x")}},
		"a parameter twice":       {standin.DuplicateParameter, []edit{parameter("scope", "a", "b")}},
		"PUT":                     {standin.WrongMethod, []edit{func(r *http.Request, _ url.Values) { r.Method = http.MethodPut }}},
		"JSON":                    {standin.WrongContentType, []edit{header("Content-Type", "application/json")}},
		"a broken body": {standin.MalformedBody, []edit{func(r *http.Request, _ url.Values) {
			r.Body = io.NopCloser(strings.NewReader("a=%zz"))
		}}},
		"a long body": {standin.MalformedBody, []edit{parameter("scope", strings.Repeat("x", 20_000))}},
		"chunks":      {standin.Chunked, []edit{func(r *http.Request, _ url.Values) { r.TransferEncoding = []string{"chunked"} }}},
		"the trap": {standin.FollowedRedirect, []edit{func(r *http.Request, _ url.Values) {
			r.URL.Path = standin.TrapPath
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			server := standin.NewSyncronex(syncronexOptions())
			token(t, server, append([]edit{post(id, secret, tenant)}, c.edits...)...)
			found := slices.ContainsFunc(server.Violations(), func(v standin.Violation) bool {
				return v.Rule == c.rule && v.Count == 1 && !strings.Contains(v.Detail, secret)
			})
			if !found {
				t.Errorf("found %+v", server.Violations())
			}
		})
	}
}

func TestAGoodRequestViolatesNothing(t *testing.T) {
	options := syncronexOptions()
	options.Headers = []string{"traceparent"}
	server := standin.NewSyncronex(options)
	token(t, server, post(id, secret, tenant), header("Traceparent", "00"), header("Connection", "close"),
		header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), header("User-Agent", "x"), header("Accept", "application/json"))
	if v := server.Violations(); len(v) > 0 || server.Counts().Outcomes[standin.Issued] != 1 {
		t.Errorf("got %+v, %v", server.Counts(), v)
	}
}

func TestDistancesAreCounted(t *testing.T) {
	now := &clock{now: noon}
	options := syncronexOptions()
	options.Clock = now.Now
	server := standin.NewSyncronex(options)
	for _, distance := range []time.Duration{0, 5 * time.Second, 400 * time.Millisecond, time.Second} {
		now.now = now.now.Add(distance)
		token(t, server, post(id, secret, tenant))
	}
	if c := server.CountsOf(id); c.Requests != 4 || c.TooClose != 1 || c.TooEarly != 0 || c.Closest != 400*time.Millisecond {
		t.Errorf("got %+v", c)
	}
	server.Misbehave(standin.Behavior{Fault: standin.TooMany, RetryAfter: 10 * time.Second, Next: 1})
	for _, distance := range []time.Duration{time.Second, 9 * time.Second, time.Second} {
		now.now = now.now.Add(distance)
		token(t, server, post(id, secret, tenant))
	}
	if c := server.Counts(); c.TooEarly != 1 || c.Requests != 7 {
		t.Errorf("got %+v", c)
	}
}

func TestClientsComeAndGo(t *testing.T) {
	server := standin.NewSyncronex(standin.Options{AnyClient: func(id, _ string) bool { return strings.HasPrefix(id, "any-") }})
	status := func(id, secret string) int { return token(t, server, post(id, secret, tenant)).status }
	if got := status("any-1", "x"); got != 200 {
		t.Errorf("any: %d", got)
	}
	if got := status("late", "one"); got != 400 {
		t.Errorf("unknown: %d", got)
	}
	server.SetClient("late", "one")
	if got := status("late", "one"); got != 200 {
		t.Errorf("registered: %d", got)
	}
	server.SetClient("late", "two")
	if got := status("late", "one"); got != 400 {
		t.Errorf("rotated: %d", got)
	}
	server.RemoveClient("late")
	if got := status("late", "two"); got != 400 {
		t.Errorf("removed: %d", got)
	}
	ids := server.ClientIDs()
	if slices.Sort(ids); !slices.Equal(ids, []string{"any-1", "late"}) {
		t.Errorf("seen %v", ids)
	}
}

func TestTheLogIsARing(t *testing.T) {
	server := standin.NewSyncronex(standin.Options{LogSize: 3, AnyClient: func(string, string) bool { return true }, Clock: fixed})
	for i := range 5 {
		token(t, server, post(fmt.Sprint("c", i), "x", tenant))
		if n := len(server.Requests()); n != min(i+1, 3) {
			t.Errorf("%d entries after %d requests", n, i+1)
		}
	}
	last := server.Requests()
	if want := (standin.Request{Time: noon, ClientID: "c4", Scope: tenant}); last[2] != want || last[0].ClientID != "c2" {
		t.Errorf("got %+v", last)
	}
}

func TestCountersAreExactUnderLoad(t *testing.T) {
	server := standin.NewSyncronex(standin.Options{AnyClient: func(string, string) bool { return true }})
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Next: 37})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for range 50 {
				token(t, server, post(fmt.Sprint("c", worker), "x", tenant))
			}
		})
	}
	group.Wait()
	counts := server.Counts()
	if counts.Requests != 400 || counts.Outcomes[standin.Issued] != 363 || counts.Outcomes[standin.Respond.Outcome()] != 37 || counts.InFlight != 0 {
		t.Errorf("got %+v", counts)
	}
	for worker := range 8 {
		if n := server.CountsOf(fmt.Sprint("c", worker)).Requests; n != 50 {
			t.Errorf("client %d: %d", worker, n)
		}
	}
}
