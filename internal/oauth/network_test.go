package oauth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

// rawServer starts a server that does as it likes with connections.
func rawServer(t *testing.T, handle func(net.Conn)) string {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = listener.Close() })

	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}

			go func() {
				defer conn.Close() //nolint:errcheck // a test

				handle(conn)
			}()
		}
	}()

	return listener.Addr().String()
}

// respond reads a request and writes text.
func respond(text string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 4096)); err != nil {
			return
		}

		// The client may hang up before it has read everything.
		_, _ = io.WriteString(conn, text)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()

	hang := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	stall := func(conn net.Conn) {
		respond("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")(conn)
		hang(conn)
	}
	plain, _ := serve(t, reply(http.StatusOK, good))

	for name, test := range map[string]struct {
		url    string
		want   string
		cause  error
		unused bool // an answer that cannot be used, rather than none
	}{
		"nobody listens":            {url: "http://127.0.0.1:1/t", want: "failed: connection refused.", cause: syscall.ECONNREFUSED},
		"no such host":              {url: "https://does-not-exist.invalid/t", want: "The host name of the token endpoint at does-not-exist.invalid"},
		"no answer":                 {url: "http://" + rawServer(t, hang), want: "did not answer within 1s.", cause: context.DeadlineExceeded},
		"no end of the answer":      {url: "http://" + rawServer(t, stall), want: "did not answer within 1s.", cause: context.DeadlineExceeded},
		"no handshake":              {url: "https://" + rawServer(t, hang), want: "came about within 1s.", cause: context.DeadlineExceeded},
		"no TLS":                    {url: strings.Replace(plain.URL, "http:", "https:", 1), want: "does not speak TLS on this port"},
		"a handshake that ends":     {url: "https://" + rawServer(t, func(net.Conn) {}), want: "token endpoint at 127.0.0.1:"},
		"a connection that ends":    {url: "http://" + rawServer(t, respond("")), want: "broke off before an answer came."},
		"an answer that ends":       {url: "http://" + rawServer(t, respond("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")), want: "broke off within the answer."},
		"headers that end":          {url: "http://" + rawServer(t, respond("HTTP/1.1 200 OK\r\nServer: x\r\n")), want: "broke off before an answer came."},
		"something that is no HTTP": {url: "http://" + rawServer(t, respond("SSH-2.0-OpenSSH_9.9\r\n\r\n")), want: "not valid HTTP", unused: true},
		"too many headers": {
			url:  "http://" + rawServer(t, respond("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 70<<10)+"\r\nContent-Length: 2\r\n\r\n{}")),
			want: "headers exceed 64 KiB", unused: true,
		},
		"a change of protocol": {
			url:  "http://" + rawServer(t, respond("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")),
			want: "changes the protocol (HTTP status 101)", unused: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			request := newRequest(plain)
			request.TokenURL, request.Timeout = test.url, 10*time.Second

			if test.cause == context.DeadlineExceeded { //nolint:errorlint // a table's value
				request.Timeout = time.Second
			}

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			if test.unused {
				if e.Kind != oauth.KindInvalidResponse || e.Class != lifetime.Protocol || !strings.Contains(e.Error(), test.want) {
					t.Errorf("got %s, %s: %s", e.Kind, e.Class, e)
				}

				return
			}

			checkUnreachable(t, e, test.want)

			if test.cause != nil && !errors.Is(e, test.cause) {
				t.Errorf("the cause is %v, want %v", errors.Unwrap(e), test.cause)
			}
		})
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})

	answer, err := newClient(t).Token(ctx, newRequest(server))
	e := failure(t, answer, err)
	checkUnreachable(t, e, "was given up before an answer came.")

	if !errors.Is(e, context.Canceled) {
		t.Errorf("the cause is %v", errors.Unwrap(e))
	}
}

func TestEgress(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(http.StatusOK, good))
	now := func() time.Time { return start }

	for name, test := range map[string]struct {
		options oauth.Options
		url     string
		want    string
	}{
		"an address":                {oauth.Options{AllowInsecureHTTP: true, Now: now, Random: sevens{}}, server.URL, "The host 127.0.0.1 of tokenURL leads to a loopback address"},
		"a name, seen after DNS":    {oauth.Options{AllowInsecureHTTP: true, Now: now, Random: sevens{}}, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), "The host localhost of tokenURL leads to a loopback address"},
		"another way to write it":   {oauth.Options{AllowInsecureHTTP: true, Now: now, Random: sevens{}}, "http://[::ffff:127.0.0.1]/", "leads to a loopback address"},
		"an address behind a proxy": {oauth.Options{AllowInsecureHTTP: true, Now: now, Random: sevens{}, UseProxy: true}, "http://169.254.169.254/latest", "leads to a cloud metadata address"},
		"http":                      {oauth.Options{Egress: loopbackAllowed(), Now: now, Random: sevens{}}, server.URL, "tokenURL begins with http://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			request := newRequest(server)
			request.TokenURL = test.url

			answer, err := oauth.NewClient(test.options).Token(t.Context(), request)
			e := failure(t, answer, err)

			if e.Kind != oauth.KindEgressDenied || e.Class != lifetime.Configuration || !strings.Contains(e.Error(), test.want) {
				t.Errorf("got %s, %s: %s", e.Kind, e.Class, e)
			}

			var denied *egress.DeniedError
			if !errors.As(e, &denied) && name != "http" {
				t.Error("no *DeniedError inside")
			}

			if strings.Contains(name, "DNS") && strings.Contains(e.Error(), "127.0.0.1") {
				t.Errorf("%q holds what the name resolved to", e)
			}
		})
	}

	if len(received()) != 0 {
		t.Error("a request was made")
	}
}

func TestAFailureHasItsStatusWithoutABody(t *testing.T) {
	t.Parallel()

	url := "http://" + rawServer(t, respond("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\n{"))
	answer, err := newClient(t).Token(t.Context(), oauth.Request{
		TokenURL: url, Client: oauth.ClientAuthentication{Method: oauth.MethodNone},
	})

	if e := failure(t, answer, err); e.Kind != oauth.KindRateLimited || e.RetryAfter != 7*time.Second {
		t.Errorf("got %+v", e)
	}
}

// checkUnreachable checks an error about a request that got no answer.
func checkUnreachable(t *testing.T, e *oauth.Error, want string) {
	t.Helper()

	if e.Kind != oauth.KindUnreachable || e.Class != lifetime.Transient {
		t.Errorf("got %s, %s", e.Kind, e.Class)
	}

	if !strings.Contains(e.Error(), want) {
		t.Errorf("got %q, want it to contain %q", e, want)
	}

	if !strings.HasSuffix(e.Error(), ".") || !strings.HasPrefix(e.Error(), "T") && !strings.HasPrefix(e.Error(), "No ") {
		t.Errorf("%q is no sentence", e)
	}
}
