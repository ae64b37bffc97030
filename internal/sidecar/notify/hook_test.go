package notify

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/output"
)

// app is a hook that answers what it is told to.
type app struct {
	mu       sync.Mutex
	status   int
	requests []*http.Request
	// hold keeps requests waiting while it is not nil.
	hold chan struct{}
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Header.Set("Test-Body", string(body))
	a.mu.Lock()
	a.requests = append(a.requests, r)
	status, hold := a.status, a.hold
	a.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(status)
}

func (a *app) answer(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status = status
}

func (a *app) asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.requests)
}

func (a *app) start(t *testing.T) *url.URL {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL + "/reload?key=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// log is what was logged.
type log struct{ output.Log }

func (l *log) count(part string) int { return strings.Count(l.String(), part) }

// running runs a notifier until the test ends, or it is stopped.
type running struct {
	*Notifier

	clock   *testclock.FakeClock
	log     *log
	metrics *counter
	stop    func()
}

func run(t *testing.T, o Options) *running {
	t.Helper()
	r := &running{
		clock: testclock.NewFakeClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)),
		log:   &log{}, metrics: &counter{},
	}
	o.Clock, o.Log, o.Metrics, o.UserAgent, o.Seed = r.clock, slog.New(slog.NewTextHandler(r.log, nil)), r.metrics, "tokensync-sidecar/v1", "pod"
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Notifier = n
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	r.stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(r.stop)
	return r
}

func TestHookIsCalledOnceForAChange(t *testing.T) {
	t.Parallel()
	a := &app{status: http.StatusNoContent}
	r := run(t, Options{URL: a.start(t)})
	time.Sleep(20 * time.Millisecond)
	if a.asked() != 0 {
		t.Error("it is called without a change")
	}
	r.Changed()
	eventually.Holds(t, "it counts", func() bool { return r.metrics.count(KindHook) == 1 })
	r.stop()
	if a.asked() != 1 || r.metrics.count("hook failed") != 0 || r.clock.HasWaiters() {
		t.Errorf("asked %d times", a.asked())
	}
	request := a.requests[0]
	if request.Method != http.MethodPost || request.UserAgent() != "tokensync-sidecar/v1" || request.Header.Get("Test-Body") != "" ||
		request.ContentLength != 0 || request.URL.String() != "/reload?key=hunter2" {
		t.Errorf("got %s %s %v", request.Method, request.URL, request.Header)
	}
}

func TestHookIsTriedUntilItAnswers(t *testing.T) {
	t.Parallel()
	a := &app{status: http.StatusServiceUnavailable}
	r := run(t, Options{URL: a.start(t)})
	r.Changed()
	var longest time.Duration
	for try := 1; try <= 12; try++ {
		eventually.Holds(t, "the next try", func() bool { return a.asked() == try && r.clock.HasWaiters() })
		if try == 12 {
			a.answer(http.StatusOK)
		}
		waited := time.Duration(0)
		for r.clock.HasWaiters() {
			r.clock.Step(time.Second)
			waited += time.Second
		}
		if waited > 30*time.Second || try == 1 && waited > 2*time.Second {
			t.Errorf("try %d came only after %s", try, waited)
		}
		longest = max(longest, waited)
	}
	eventually.Holds(t, "it works", func() bool { return r.metrics.count(KindHook) == 1 })
	if longest < 15*time.Second {
		t.Errorf("a hook that fails is asked every %s", longest)
	}
	r.stop()
	if a.asked() != 13 || r.metrics.count("hook failed") != 12 {
		t.Errorf("asked %d times, failed %d times", a.asked(), r.metrics.count("hook failed"))
	}
	if n := r.log.count("level=WARN"); n != 1 || r.log.count("answers 503: the hook must answer 2xx to a POST") != 1 {
		t.Errorf("%d warnings: %s", n, r.log.String())
	}
}

func TestNewerChangeTakesThePlaceOfARetry(t *testing.T) {
	t.Parallel()
	a := &app{status: http.StatusInternalServerError}
	r := run(t, Options{URL: a.start(t)})
	r.Changed()
	eventually.Holds(t, "it waits", r.clock.HasWaiters)
	a.answer(http.StatusOK)
	r.Changed()
	eventually.Holds(t, "it is called at once", func() bool { return r.metrics.count(KindHook) == 1 })
	if r.clock.HasWaiters() {
		t.Error("the retry of the older change is still to come")
	}
	r.clock.Step(time.Hour)
	r.stop()
	if a.asked() != 2 {
		t.Errorf("asked %d times", a.asked())
	}
}

// TestChangesWhileTheHookAnswers come to one more call, after the last of them.
func TestChangesWhileTheHookAnswers(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	a := &app{status: http.StatusOK, hold: hold}
	r := run(t, Options{URL: a.start(t)})
	r.Changed()
	eventually.Holds(t, "it is asked", func() bool { return a.asked() == 1 })
	for range 5 {
		r.Changed()
	}
	close(hold)
	eventually.Holds(t, "it is asked again", func() bool { return r.metrics.count(KindHook) == 2 })
	r.stop()
	if a.asked() != 2 {
		t.Errorf("asked %d times", a.asked())
	}
}

// TestChangeBeforeRun is that of a writer that is faster.
func TestChangeBeforeRun(t *testing.T) {
	t.Parallel()
	a := &app{status: http.StatusOK}
	metrics := &counter{}
	n, err := New(Options{URL: a.start(t), Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	n.Changed()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	eventually.Holds(t, "it is asked", func() bool { return metrics.count(KindHook) == 1 })
	cancel()
	<-ended
}

func TestEndWhileTheHookAnswers(t *testing.T) {
	t.Parallel()
	a := &app{status: http.StatusOK, hold: make(chan struct{})}
	r := run(t, Options{URL: a.start(t)})
	r.Changed()
	eventually.Holds(t, "it is asked", func() bool { return a.asked() == 1 })
	r.stop()
	if r.metrics.count(KindHook)+r.metrics.count("hook failed") != 0 || r.log.count("level=WARN") != 0 {
		t.Error("the end counts as a failure of the hook")
	}
}

func TestHookFailures(t *testing.T) {
	t.Parallel()
	a := &app{status: http.StatusTemporaryRedirect}
	to := a.start(t)
	shown := strings.TrimSuffix(to.String(), "?key=hunter2")
	h := newHook(to, "")
	if err := h.post(t.Context()); err == nil ||
		err.Error() != shown+" answers 307, and redirects are not followed: set --notify-url to where it leads" || a.asked() != 1 {
		t.Errorf("got %v after %d requests", err, a.asked())
	}
	a.hold = make(chan struct{})
	h.client.Timeout = 20 * time.Millisecond
	if err := h.post(t.Context()); err == nil || err.Error() != shown+" did not answer within 20ms" {
		t.Errorf("got %v", err)
	}
	nobody := newHook(&url.URL{Scheme: "http", Host: "127.0.0.1:1", RawQuery: "hunter2"}, "")
	if err := nobody.post(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") ||
		err.Error() != "http://127.0.0.1:1 cannot be asked: connect: connection refused" {
		t.Errorf("got %v", err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = connection.(*net.TCPConn).SetLinger(0) // It is reset.
		_ = connection.Close()
	}))
	t.Cleanup(server.Close)
	reset, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := newHook(reset, "").post(t.Context()); err == nil ||
		err.Error() != server.URL+" cannot be asked: read: connection reset by peer" {
		t.Errorf("got %v", err)
	}
}

func TestNothingToNotify(t *testing.T) {
	t.Parallel()
	n, err := New(Options{Signal: "HUP"})
	if err != nil {
		t.Fatal(err)
	}
	n.Changed()
	n.Run(t.Context())
}

func TestSignalName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"HUP": "HUP", "SIGHUP": "HUP", "hup": "HUP", "sigUsr2": "USR2", "WINCH": "WINCH",
		"": "", "SIG": "", "KILL": "", "STOP": "", "1": "", "HUP ": "", "SIGSIGHUP": "",
	} {
		if got, ok := SignalName(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, %t", text, got, ok)
		}
	}
}
