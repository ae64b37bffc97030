package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/test/output"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hour is a token's life, and what is asked for at two thirds of it less the jitter.
const hour = time.Hour

// logs is what was logged.
type logs struct{ output.Log }

// count is how many lines of at least Info have a message.
func (l *logs) count(message string) int {
	count := 0
	for line := range strings.Lines(l.String()) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == message && entry.Level != "DEBUG" {
			count++
		}
	}
	return count
}

const (
	issued  = "A token was issued"
	missing = "No new token could be had"
	again   = "Tokens can be had again"
)

// counted counts token requests.
type counted struct {
	mu      sync.Mutex
	results map[string]int
}

func (c *counted) TokenRequest(result, _ string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results[result]++
}

// stage is an engine with all that it needs.
type stage struct {
	t        *testing.T
	clock    *testclock.FakeClock
	provider *provider
	dir      string
	log      *logs
	metrics  *counted
	options  Options
	current  *sidecar.Current
	engine   *Engine

	// loop is there where the test itself turns it.
	loop *loop
	next time.Time
}

const secretName = "acme-news-client"

// manifestOf is a credential with an inline provider at a URL.
func manifestOf(tokenURL string, spec ...string) string {
	return fmt.Sprintf(`apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: acme-news, namespace: web}
spec:
  provider: {tokenURL: %s/oauth/token}
  client: {id: app, secretRef: {name: %s, key: client_secret}}
`, tokenURL, secretName) + strings.Join(spec, "")
}

// newStage makes a stage whose secret is a directory as the kubelet makes it.
func newStage(t *testing.T) *stage {
	t.Helper()
	clock := testclock.NewFakeClock(start)
	s := &stage{t: t, clock: clock, provider: newProvider(t, clock), dir: t.TempDir(), log: &logs{}, current: sidecar.NewCurrent()}
	s.metrics = &counted{results: map[string]int{}}
	client := oauth.NewClient(oauth.Options{
		Egress:            egress.NewPolicy(egress.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		AllowInsecureHTTP: true, Now: clock.Now, Random: strings.NewReader(strings.Repeat("random", 1000)),
	})
	t.Cleanup(client.CloseIdleConnections)
	s.options = Options{
		File: filepath.Join(s.dir, "credential.yaml"), SecretsDir: filepath.Join(s.dir, "secrets"), ConfigMapsDir: filepath.Join(s.dir, "config-maps"),
		Keys:   sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"},
		Client: client, Clock: clock, Metrics: s.metrics,
		Log: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Gate: gate.New(gate.Options{Now: clock.Now, AfterFunc: func(d time.Duration, f func()) func() bool {
			return clock.AfterFunc(d, func() { go f() }).Stop // The clock holds its lock meanwhile.
		}}),
	}
	s.writeManifest(manifestOf(s.provider.URL))
	s.project(secretName, map[string]string{"client_secret": "first-secret"})
	return s
}

func (s *stage) writeManifest(text string) {
	s.t.Helper()
	s.write(s.options.File, text)
}

// write replaces a file as a whole.
func (s *stage) write(path, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		s.t.Fatal(err)
	}
}

// project writes a Secret as the kubelet does.
func (s *stage) project(name string, keys map[string]string) {
	s.t.Helper()
	project(s.t, filepath.Join(s.options.SecretsDir, name), keys)
}

func project(t *testing.T, directory string, keys map[string]string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(directory, 0o755))
	version, err := os.MkdirTemp(directory, "..2026_03_01_12_00_00.") //nolint:usetesting // It is a part of what is laid out.
	must(err)
	for key, value := range keys {
		must(os.WriteFile(filepath.Join(version, key), []byte(value), 0o600))
	}
	old, _ := os.Readlink(filepath.Join(directory, "..data"))
	must(os.Symlink(filepath.Base(version), filepath.Join(directory, "..data_tmp")))
	must(os.Rename(filepath.Join(directory, "..data_tmp"), filepath.Join(directory, "..data")))
	for key := range keys {
		link := filepath.Join(directory, key)
		if _, err := os.Lstat(link); err != nil {
			must(os.Symlink(filepath.Join("..data", key), link))
		}
	}
	if old != "" {
		must(os.RemoveAll(filepath.Join(directory, old)))
	}
}

// open makes the engine, and the loop that the test turns.
func (s *stage) open() *stage {
	s.t.Helper()
	s.make()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.loop = s.engine.newLoop(ctx, s.current)
	s.t.Cleanup(func() {
		cancel()
		s.loop.abandon()
		s.loop.sent.Wait()
		if s.loop.watch.watcher != nil {
			_ = s.loop.watch.watcher.Close()
		}
	})
	s.settle()
	return s
}

func (s *stage) make() {
	s.t.Helper()
	var err error
	if s.engine, err = New(s.t.Context(), s.options); err != nil {
		s.t.Fatal(err)
	}
}

// settle turns the loop until nothing is under way and nothing has changed.
func (s *stage) settle() {
	s.t.Helper()
	for {
		s.next = s.loop.pass(s.t.Context())
		s.loop.mu.Lock()
		r, done := s.loop.request, s.loop.outcome != nil
		running := r != nil && r.running
		s.loop.mu.Unlock()
		switch {
		case done:
		case r == nil:
			return
		case !running && s.options.Gate.Waiting(r.Plan.Line()) > 0:
			s.clock.Step(500 * time.Millisecond)
			time.Sleep(time.Millisecond) // The gate looks in a goroutine of its own.
		default:
			select {
			case <-s.engine.wake:
				time.Sleep(time.Millisecond) // The gate is told right after.
			case <-time.After(10 * time.Second):
				s.t.Fatal("a request does not end")
			}
		}
	}
}

// until lets the time pass, from one look to the next.
func (s *stage) until(end time.Time) {
	s.t.Helper()
	for s.settle(); !s.next.IsZero() && !s.next.After(end); s.settle() {
		if s.next.After(s.clock.Now()) {
			s.clock.SetTime(s.next)
		}
	}
	if end.After(s.clock.Now()) {
		s.clock.SetTime(end)
	}
	s.settle()
}

// after lets some time pass.
func (s *stage) after(d time.Duration) {
	s.t.Helper()
	s.until(s.clock.Now().Add(d))
}

// expect checks how many requests there were, and which token is the current one.
func (s *stage) expect(requests int, token string) {
	s.t.Helper()
	if got := len(s.provider.heard()); got != requests {
		s.t.Errorf("there were %d requests, want %d\n%s", got, requests, s.log.String())
	}
	set := s.current.Set()
	if set == nil && token != "" || set != nil && set.Token.Reveal() != token {
		s.t.Errorf("the current set is not the one with %q", token)
	}
}

// put writes a file.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
