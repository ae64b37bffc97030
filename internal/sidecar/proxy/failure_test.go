package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/eventually"
)

func TestNoToken(t *testing.T) {
	t.Parallel()
	server, last := recorder(t)
	s := newStand(t, server.URL, nil)
	refused := func(step, says string) {
		t.Helper()
		for _, body := range []string{"", "a"} {
			got := do(t, s.request(t, http.MethodPost, "/", strings.NewReader(body)))
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" || !strings.Contains(got.body, says) {
				t.Errorf("%s: %d %v %s", step, got.status, got.header, got.body)
			}
		}
		if last() != nil {
			t.Errorf("%s: the upstream was asked", step)
		}
	}
	refused("at first", "no token yet")
	s.offerWith(t, map[string]string{"token": "t1"}, 0)
	refused("another key", `"access_token", in which the token is looked for: name the right key with --token-key`)
	s.offer(t, "t1", time.Minute)
	if got := s.get(t, "/"); got.status != http.StatusOK || last() == nil {
		t.Errorf("a good token: %d", got.status)
	}
	s.clock.Step(time.Minute)
	refused("after its end", start.Add(time.Minute).Format(time.RFC3339))
	for _, token := range []string{"t1\n", "t1\r\nX-Injected: a", "t1\x00", "\x7ft1"} {
		s.offer(t, token, time.Hour)
		refused("a token that is no line", "line breaks")
	}
	s.offerWith(t, map[string]string{"access_token": "t1", "token_type": "Bearer\r\nX-Injected: a"}, 0)
	refused("a type that is no line", "line breaks")
	if got := s.counts.read(); got.status[http.StatusServiceUnavailable] != 16 || got.status[http.StatusOK] != 1 {
		t.Errorf("counted %v", got.status)
	}
}

func TestUpstreamsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	strange := upstream(t, true, func(http.ResponseWriter, *http.Request) {})
	cut := upstream(t, false, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	plain := upstream(t, false, func(http.ResponseWriter, *http.Request) {})
	garbage := upstream(t, false, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(connection, "hidden\r\n\r\n")
		_ = connection.Close()
	})
	for name, test := range map[string]struct {
		target, says string
		certified    bool
	}{
		"nobody there":         {target: gone.URL, says: "cannot be reached: connection refused."},
		"an unknown authority": {target: strange.URL, says: "SSL_CERT_FILE"},
		"another host":         {target: strings.Replace(strange.URL, "127.0.0.1", "localhost", 1), certified: true, says: "for another host"},
		"cut off":              {target: cut.URL, says: "broke the connection off"},
		"not HTTP":             {target: garbage.URL, says: "not HTTP"},
		"not TLS":              {target: strings.Replace(plain.URL, "http:", "https:", 1), says: "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certificate := strange.Certificate()
			if !test.certified {
				certificate = nil
			}
			s := newStand(t, test.target, certificate)
			s.offer(t, "t1", time.Hour)
			got := s.get(t, "/path?key=hidden")
			if got.status != http.StatusBadGateway || !strings.Contains(got.body, test.says) || strings.Contains(got.body, "hidden") {
				t.Errorf("%d %s", got.status, got.body)
			}
			if log := s.log.String(); !strings.Contains(log, test.target+"/path\"") && !strings.Contains(log, test.target+"/path ") {
				t.Errorf("logged %s", log)
			}
			if count := s.counts.read().status[http.StatusBadGateway]; count != 1 {
				t.Errorf("counted %d", count)
			}
		})
	}
}

// What a test cannot have happen by itself.
func TestProblems(t *testing.T) {
	t.Parallel()
	s := newStand(t, "https://api.example.com/v1", nil)
	for says, err := range map[string]error{
		"is not known to DNS. Check --proxy-upstream.": &net.OpError{Err: &net.DNSError{Err: "hidden", IsNotFound: true}},
		"could not be looked up in DNS.":               &net.OpError{Err: &net.DNSError{Err: "hidden", IsTimeout: true}},
		"did not answer in time.":                      &net.OpError{Err: context.DeadlineExceeded},
		"has expired or is not yet valid":              x509.CertificateInvalidError{Reason: x509.Expired, Detail: "hidden"},
		"that cannot be verified.":                     &tls.CertificateVerificationError{Err: errors.New("hidden")},
		"cannot be reached: no route to host.":         &net.OpError{Err: syscall.EHOSTUNREACH},
		"broke the connection off":                     errors.New("hidden"),
	} {
		got := s.problem(fmt.Errorf("hidden: %w", err))
		if !strings.HasPrefix(got, "The upstream api.example.com ") || !strings.Contains(got, says) || strings.Contains(got, "hidden") {
			t.Errorf("%v: %s", err, got)
		}
	}
}

// A request that ends early is not one that can be sent.
func TestShortBodies(t *testing.T) {
	t.Parallel()
	server, last := recorder(t)
	s := before(t, server, "")
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_, _ = io.WriteString(connection, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nshort")
	_ = connection.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(connection)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400") || last() != nil {
		t.Errorf("got %s", answer)
	}
}

// Whoever goes away takes the request along, and nothing is logged.
func TestClientsThatGo(t *testing.T) {
	t.Parallel()
	var under atomic.Int32
	server := upstream(t, true, func(_ http.ResponseWriter, r *http.Request) {
		under.Add(1)
		<-r.Context().Done()
		under.Add(-1)
	})
	s := before(t, server, "")
	ctx, cancel := context.WithCancel(t.Context())
	request := s.request(t, http.MethodGet, "/", http.NoBody).WithContext(ctx)
	failed := make(chan error, 1)
	go func() {
		_, err := try(request)
		failed <- err
	}()
	eventually.Holds(t, "the request arrives", func() bool { return under.Load() == 1 })
	cancel()
	if err := <-failed; err == nil {
		t.Error("there was an answer")
	}
	eventually.Holds(t, "the request ends", func() bool { return under.Load() == 0 && s.counts.read().status[http.StatusBadGateway] == 1 })
	if s.log.String() != "" {
		t.Errorf("logged %s", s.log)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	server, _ := recorder(t)
	s := before(t, server, "")
	request := s.request(t, http.MethodGet, "/", http.NoBody)
	request.Header.Set("X-Large", strings.Repeat("a", 100<<10))
	if got := do(t, request); got.status != http.StatusOK {
		t.Errorf("a header that is allowed: %d", got.status)
	}
	answer := speak(t, strings.TrimPrefix(s.base, "http://"), fmt.Sprintf("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: %s", strings.Repeat("a", maxHeaderBytes+4<<10)))
	if !strings.HasPrefix(answer, "HTTP/1.1 431") {
		t.Errorf("a header that is too large: %.100s", answer)
	}
}

// TestABusyAppDoesNotFillTheLog while its upstream is down.
func TestABusyAppDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	var f failures
	now := time.Unix(1, 0)
	for i, step := range []struct {
		problem string
		after   time.Duration
		more    int
		told    bool
	}{
		{"down", 0, 0, true},
		{"down", time.Second, 0, false},
		{"down", 2 * time.Second, 0, false},
		{"slow", 3 * time.Second, 2, true},
		{"slow", 4 * time.Second, 0, false},
		{"slow", 3*time.Second + failuresEvery, 1, true},
	} {
		if more, told := f.tell(step.problem, now.Add(step.after)); more != step.more || told != step.told {
			t.Errorf("step %d: %d more, told: %t", i, more, told)
		}
	}
}
