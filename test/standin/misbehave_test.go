package standin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/standin"
)

// live is a listening server and a client that follows no redirect.
type live struct {
	*standin.Server
	url    string
	client *http.Client
}

func listen(t *testing.T, server *standin.Server) live {
	t.Helper()
	baseURL, stop, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return live{Server: server, url: baseURL, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (l live) post(ctx context.Context) (*http.Response, error) {
	return l.send(ctx, url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {tenant}})
}

func (l live) send(ctx context.Context, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+standin.TokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return l.client.Do(r)
}

// get returns the answer to a good request, as far as there is one.
func (l live) get(ctx context.Context) (answer, error) {
	response, err := l.post(ctx)
	if err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, errors.Join(err, response.Body.Close())
}

// wholeAnswer is a fault and what it answers.
type wholeAnswer struct {
	behavior standin.Behavior
	status   int
	header   map[string]string
	contains string
}

func wholeAnswers() map[string]wholeAnswer {
	return map[string]wholeAnswer{
		"a 503": {
			standin.Behavior{Fault: standin.Respond, Body: "down"}, http.StatusServiceUnavailable, nil, "down",
		},
		"any status, type, header and body": {
			standin.Behavior{
				Fault: standin.Respond, Status: 418, ContentType: "application/json",
				Body: `{"error":"teapot"}`, Header: http.Header{"X-Pot": {"short"}},
			}, 418, map[string]string{"Content-Type": "application/json", "X-Pot": "short"}, `{"error":"teapot"}`,
		},
		"a 429 with seconds": {
			standin.Behavior{Fault: standin.TooMany, RetryAfter: 1500 * time.Millisecond}, 429, map[string]string{"Retry-After": "2"}, "Too Many",
		},
		"a 429 with a date": {
			standin.Behavior{Fault: standin.TooMany, RetryAfter: 10 * time.Second, RetryAfterDate: true},
			429,
			map[string]string{"Retry-After": "Thu, 01 Dec 2022 19:59:30 GMT"},
			"",
		},
		"a 503 with seconds": {
			standin.Behavior{Fault: standin.TooMany, Status: 503, RetryAfter: time.Second}, 503, map[string]string{"Retry-After": "1"}, "",
		},
		"garbage": {
			standin.Behavior{Fault: standin.Garbage}, 200, map[string]string{"Content-Type": "application/json;charset=UTF-8"}, "\xff\xfe\x00{",
		},
		"a web page": {
			standin.Behavior{Fault: standin.HTML}, 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, "<!DOCTYPE html>",
		},
		"a web page in a 502": {
			standin.Behavior{Fault: standin.HTML, Status: 502}, 502, nil, "<!DOCTYPE html>",
		},
		"a redirect": {
			standin.Behavior{Fault: standin.Redirect}, 307, map[string]string{"Location": standin.TrapPath}, "",
		},
		"a redirect elsewhere": {
			standin.Behavior{Fault: standin.Redirect, Status: 302, Location: "http://example.com/x"}, 302, map[string]string{"Location": "http://example.com/x"}, "",
		},
		"nothing": {
			standin.Behavior{Fault: standin.Empty}, 200, map[string]string{"Content-Length": "0"}, "",
		},
		"an error in a 200": {
			standin.Behavior{Fault: standin.ErrorIn200, Code: "invalid_scope"}, 200, nil, `{"error":"invalid_scope"`,
		},
	}
}

func TestFaultsThatAreWholeAnswers(t *testing.T) {
	options := syncronexOptions()
	options.Clients[id] = secret
	server := listen(t, standin.NewSyncronex(options))
	for name, c := range wholeAnswers() {
		t.Run(name, func(t *testing.T) {
			server.Misbehave(c.behavior)
			defer server.Behave()
			before := server.Counts().Outcomes[c.behavior.Fault.Outcome()]
			response, err := server.get(t.Context())
			if err != nil || response.status != c.status || !strings.Contains(response.text, c.contains) {
				t.Errorf("got %d %q (%v)", response.status, response.text, err)
			}
			expectHeader(t, response, c.header)
			if after := server.Counts().Outcomes[c.behavior.Fault.Outcome()]; after != before+1 {
				t.Errorf("counted %d", after-before)
			}
		})
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestFaultsOfTheConnection(t *testing.T) {
	server := listen(t, standin.NewSyncronex(syncronexOptions()))

	server.Misbehave(standin.Behavior{Fault: standin.Reset})
	if _, err := server.get(t.Context()); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}

	server.Misbehave(standin.Behavior{Fault: standin.Truncated})
	response, err := server.get(t.Context())
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(response.text, `{"access_token":"`) {
		t.Errorf("truncated: %q, %v", response.text, err)
	}

	server.Misbehave(standin.Behavior{Fault: standin.Huge})
	if response, err = server.get(t.Context()); err != nil || len(response.text) < 10<<20 || !json.Valid([]byte(response.text)) {
		t.Errorf("huge: %d bytes, %v", len(response.text), err)
	}
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	server := listen(t, standin.NewSyncronex(syncronexOptions()))
	server.Misbehave(standin.Behavior{Fault: standin.Hang})
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := server.get(ctx)
		done <- err
	}()
	eventually.Holds(t, "one hangs", func() bool { return server.Counts().Outcomes[standin.Hang.Outcome()] == 1 })
	if n := server.Counts().InFlight; n != 1 {
		t.Errorf("in flight: %d", n)
	}
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	eventually.Holds(t, "none is in flight", func() bool { return server.Counts().InFlight == 0 })
}

func TestStopEndsWhatHangs(t *testing.T) {
	server := standin.NewSyncronex(syncronexOptions())
	l := live{Server: server, client: &http.Client{Transport: &http.Transport{}}}
	var stop func()
	var err error
	if l.url, stop, err = server.Listen(); err != nil {
		t.Fatal(err)
	}
	server.Misbehave(standin.Behavior{Fault: standin.Hang})
	done := make(chan error)
	go func() {
		_, err := l.get(t.Context())
		done <- err
	}()
	eventually.Holds(t, "one is in flight", func() bool { return server.Counts().InFlight == 1 })
	stop()
	if err := <-done; err == nil {
		t.Error("there was an answer")
	}
	if _, stop, err = server.ListenAt(strings.TrimPrefix(l.url, "http://")); err != nil {
		t.Fatalf("the provider cannot come back: %v", err)
	}
	stop()
}

func TestDelay(t *testing.T) {
	server := listen(t, standin.NewSyncronex(syncronexOptions()))
	server.Misbehave(standin.Behavior{Delay: 50 * time.Millisecond, Next: 1}, standin.Behavior{Delay: time.Hour})
	before := time.Now()
	if response, err := server.get(t.Context()); response.status != http.StatusOK || time.Since(before) < 50*time.Millisecond {
		t.Errorf("got %d after %s (%v)", response.status, time.Since(before), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := server.get(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	eventually.Holds(t, "it was abandoned", func() bool { return server.Counts().Outcomes[standin.Abandoned] == 1 })
}

func TestEchoGivesEverySecretAway(t *testing.T) {
	server := standin.NewSyncplicity(syncplicityOptions())
	server.Misbehave(standin.Behavior{Fault: standin.Echo})
	response := token(t, server, rawBasic(id, secret), header("Sync-App-Token", app))
	var told struct{ Error string }
	if err := json.Unmarshal([]byte(response.text), &told); err != nil {
		t.Fatal(err)
	}
	r := http.Header{}
	r.Set("Authorization", "Basic YXBwX2FjbWVfbmV3c19wcm9kOnMzOmNyL2V0Kz0lICY/")
	for _, place := range []string{told.Error, response.header.Get("X-Debug"), response.header.Get("Www-Authenticate")} {
		for _, known := range []string{secret, r.Get("Authorization"), app} {
			if !strings.Contains(place, known) {
				t.Errorf("%q lacks %q", place, known)
			}
		}
	}
}

func TestExpiresInIsReplacedByRawJSON(t *testing.T) {
	for raw, want := range map[string]string{
		`"5099"`: `"expires_in":"5099",".issued"`,
		`null`:   `"expires_in":null,".issued"`,
		`3.6e3`:  `"expires_in":3.6e3,".issued"`,
		`{}`:     `"expires_in":{},".issued"`,
		``:       `"token_type":"bearer",".issued"`,
	} {
		server := standin.NewSyncronex(syncronexOptions())
		server.Misbehave(standin.Behavior{ExpiresIn: json.RawMessage(raw)})
		if got := token(t, server, post(id, secret, tenant)).text; !strings.Contains(got, want) {
			t.Errorf("%q: %s", raw, got)
		}
		if n := server.Counts().Outcomes[standin.Issued]; n != 1 {
			t.Errorf("%q: issued %d", raw, n)
		}
	}
}

func TestBehaviorIsLimited(t *testing.T) {
	options := syncronexOptions()
	options.Clients["other"] = secret
	server := standin.NewSyncronex(options)
	server.Misbehave(
		standin.Behavior{ClientID: "other", Fault: standin.Respond, Status: 500},
		standin.Behavior{Next: 2, Fault: standin.Respond, Status: 502},
	)
	for i, step := range []struct {
		client string
		want   int
	}{{id, 502}, {"other", 500}, {id, 502}, {id, 200}, {"other", 500}} {
		if got := token(t, server, post(step.client, secret, tenant)).status; got != step.want {
			t.Errorf("request %d of %s: %d, want %d", i, step.client, got, step.want)
		}
	}
	server.Behave()
	if got := token(t, server, post("other", secret, tenant)).status; got != http.StatusOK {
		t.Errorf("after all: %d", got)
	}
}
