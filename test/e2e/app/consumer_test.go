package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/endpoint"
	"github.com/tokensync/tokensync/internal/sidecar/proxy"
	"github.com/tokensync/tokensync/test/e2e/app/report"
	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/standin"
)

// startConsumer starts one that calls the provider.
func (p *place) startConsumer(t *testing.T, arguments ...string) *party {
	t.Helper()
	return start(t, append([]string{
		"consumer", "--url=" + p.base + standin.ResourcePrefix + "news", "--ca=" + p.file("tls.crt"), "--report=127.0.0.1:0",
		"--interval=10ms",
	}, arguments...)...)
}

// report is what a consumer tells while it runs.
func (p *place) report(t *testing.T, consumer *party) report.Consumer {
	t.Helper()
	got := p.send(t, http.MethodGet, "http://"+consumer.address(t, "report at")+"/report", nil, nil)
	return read[report.Consumer](t, bytes.NewReader(got.body))
}

// last is what a consumer has told at its end.
func last(t *testing.T, consumer *party) report.Consumer {
	t.Helper()
	return read[report.Consumer](t, strings.NewReader(consumer.stdout.String()))
}

// listen listens until the test ends, at 127.0.0.1 or at a socket, for a sink of the
// sidecar to serve there. It answers the address for a consumer.
func listen(t *testing.T, network, address string, run func(context.Context, net.Listener) error) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if network == "unix" {
		return "unix:" + listener.Addr().String()
	}
	return "http://" + listener.Addr().String()
}

// uncounted are the metrics of a proxy.
type uncounted struct{}

func (uncounted) ProxyRequest(int)     {}
func (uncounted) ProxyRepeat()         {}
func (uncounted) RefreshRequest(error) {}

// newProxy is the sidecar's, before the provider.
func (p *place) newProxy(t *testing.T, current *sidecar.Current) *proxy.Proxy {
	t.Helper()
	upstream, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	made, err := proxy.New(proxy.Options{
		Upstream: upstream, Current: current, TokenKey: "access_token", Clock: clock.RealClock{},
		Log: slog.New(slog.DiscardHandler), Metrics: uncounted{},
		RootCAs: p.client.Transport.(*http.Transport).TLSClientConfig.RootCAs,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The sinks are the sidecar's own. A token comes by all of them at once.
func TestEachWayThroughThreeLifetimes(t *testing.T) {
	t.Parallel()
	const tokens, lifetimeOfTokens = 5, time.Second
	p := startProvider(t, "--lifetime="+lifetimeOfTokens.String())
	current, file := sidecar.NewCurrent(), p.file("token")
	served := endpoint.New(endpoint.Options{Current: current, TokenKey: "access_token", Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler)})
	socket := filepath.Join(t.TempDir(), "s")
	consumers := map[string]*party{}
	for way, argument := range map[string]string{
		"file":              "--token-file=" + file,
		"endpoint":          "--token-endpoint=" + listen(t, "tcp", "127.0.0.1:0", served.Run) + "/token",
		"endpoint, socket":  "--token-endpoint=" + listen(t, "unix", socket+"1", served.Run),
		"proxy":             "--proxy=" + listen(t, "tcp", "127.0.0.1:0", p.newProxy(t, current).Run),
		"proxy by a socket": "--proxy=" + listen(t, "unix", socket+"2", p.newProxy(t, current).Run),
	} {
		consumers[way] = p.startConsumer(t, argument, "--tokens=5")
	}
	for _, consumer := range consumers {
		eventually.Holds(t, "it waits", func() bool { return p.report(t, consumer).Waits > 0 })
	}

	ticker := time.NewTicker(lifetimeOfTokens * 2 / 3)
	defer ticker.Stop()
	issued := map[string]bool{}
	for range tokens {
		token := p.issue(t)
		issued[hash(token)] = true
		write(t, file, token)
		keys := sidecar.Keys{Token: "access_token", Type: "token_type"}
		set, _ := keys.Set(map[string][]byte{"access_token": []byte(token)}, lifetime.Token{ExpiresAt: time.Now().Add(lifetimeOfTokens)})
		current.Offer(set)
		<-ticker.C
	}
	for way, consumer := range consumers {
		if code := consumer.exit(t); code != 0 {
			t.Errorf("%s: exit code %d: %s", way, code, &consumer.stderr)
		}
		expectGood(t, way, last(t, consumer), tokens, issued)
	}
}

// expectGood looks at a report of a consumer that nothing went wrong with.
func expectGood(t *testing.T, way string, told report.Consumer, tokens int, issued map[string]bool) {
	t.Helper()
	accepted := told.AcceptedTokens()
	if len(accepted) != tokens || told.Refused() > 0 || told.Accepted() < tokens || told.FirstError != nil || told.Waits == 0 {
		t.Errorf("%s: got %+v", way, told)
	}
	for _, token := range accepted {
		if proxied := strings.HasPrefix(way, "proxy"); proxied != (token.Hash == "") || !proxied && !issued[token.Hash] {
			t.Errorf("%s: the hash %q", way, token.Hash)
		}
		if token.Delay() <= 0 || token.Delay() > time.Second || token.AcceptedAt.Before(token.SeenAt) ||
			token.ExpiresAt.Sub(token.IssuedAt) != time.Second {
			t.Errorf("%s: got %+v, after %s", way, token, token.Delay())
		}
	}
}

func TestAWithdrawnTokenIsReported(t *testing.T) {
	t.Parallel()
	p := startProvider(t, "--lifetime=1h")
	write(t, p.file("token"), p.issue(t))
	endless := p.startConsumer(t, "--token-file="+p.file("token"))
	job := p.startConsumer(t, "--token-file="+p.file("token"), "--calls=1000000")
	for _, consumer := range []*party{endless, job} {
		eventually.Holds(t, "a call is accepted", func() bool { return p.report(t, consumer).Accepted() > 0 })
	}
	p.tell(t, "/withdraw")
	if code := job.exit(t); code != 1 || last(t, job).Refused() != 1 {
		t.Errorf("exit code %d, %+v", code, last(t, job))
	}
	eventually.Holds(t, "a call is refused", func() bool { return p.report(t, endless).Refused() > 1 })
	write(t, p.file("token"), p.issue(t))
	eventually.Holds(t, "another token is accepted", func() bool { return len(p.report(t, endless).AcceptedTokens()) == 2 })
	endless.end()
	code, told := endless.exit(t), last(t, endless)
	if code != 0 || told.FirstError == nil || !strings.Contains(told.FirstError.Text, "401") || !told.LastError.At.After(told.FirstError.At) {
		t.Errorf("exit code %d, %+v, %+v, %+v", code, told, told.FirstError, told.LastError)
	}
}

func TestWhatElseGoesWrongIsReported(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	token := p.issue(t)
	write(t, p.file("token"), token)
	c := p.startConsumer(t, "--token-file="+p.file("token"), "--calls=1000000", "--poll=0s")
	healthz := "http://" + c.address(t, "report at") + "/healthz"
	eventually.Holds(t, "it is healthy", func() bool { return p.send(t, http.MethodGet, healthz, nil, nil).status == http.StatusOK })
	write(t, p.file("token"), "")
	eventually.Holds(t, "the token is missed", func() bool { return p.report(t, c).Missing > 0 })
	write(t, p.file("token"), token)
	p.end()
	eventually.Holds(t, "a call is not answered", func() bool { return p.report(t, c).Unanswered > 0 })
	c.end()
	if code := c.exit(t); code != 1 {
		t.Errorf("exit code %d before its goal was reached", code)
	}
	told := last(t, c)
	if !strings.Contains(told.FirstError.Text, "is empty") || !strings.Contains(told.LastError.Text, "refused") {
		t.Errorf("got %+v and %+v", told.FirstError, told.LastError)
	}
	if strings.Contains(c.stdout.String()+c.stderr.String(), token) {
		t.Error("the token was printed")
	}
}
