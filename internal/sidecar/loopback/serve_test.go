package loopback

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost":            true,
		"LocalHost:80":         true,
		"127.0.0.1":            true,
		"127.0.0.1:8080":       true,
		"127.1.2.3:1":          true,
		"[::1]":                true,
		"[::1]:8080":           true,
		"[0:0::0001]":          true,
		"":                     false,
		"example.com":          false,
		"example.com:80":       false,
		"localhost.":           false,
		"localhost.evil.test":  false,
		"127.0.0.1.evil.test":  false,
		"evil.test:127.0.0.1":  false,
		"localhost:x":          false,
		"localhost:":           false,
		"localhost:65536":      false,
		"[localhost]":          false,
		"[localhost]:80":       false,
		"localhost]":           false,
		"[127.0.0.1]":          false,
		"[127.0.0.1]:80":       false,
		"127.0.0.1]":           false,
		"::1":                  false,
		"[::1":                 false,
		"[::1]x":               false,
		"[::1%lo]":             false,
		"[::ffff:127.0.0.1]":   false,
		"127.1":                false,
		"0x7f.0.0.1":           false,
		"2130706433":           false,
		"0.0.0.0":              false,
		"[::]":                 false,
		"10.0.0.1:8080":        false,
		"user@127.0.0.1":       false,
		"127.0.0.1,evil.test":  false,
		" 127.0.0.1":           false,
		"[::1]:80:[::1]":       false,
		"127.0.0.1:80:80":      false,
		"localhost:80@evil.it": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}

func FuzzIsLoopback(f *testing.F) {
	for _, host := range []string{"localhost", "127.0.0.1:80", "[::1]:80", "[::1]", "a:b", "[", "]"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !isLoopback(host) {
			return
		}
		// What a client would make of it.
		target, err := url.Parse("http://" + host + "/")
		if err != nil {
			t.Fatalf("%q counts as loopback: %v", host, err)
		}
		name := target.Hostname()
		if address, err := netip.ParseAddr(name); !strings.EqualFold(name, "localhost") && (err != nil || !address.IsLoopback()) {
			t.Fatalf("%q counts as loopback", host)
		}
	})
}

// serving runs Serve until the returned function is called, which tells what came of it.
func serving(t *testing.T, listener net.Listener, handler http.Handler) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- Serve(ctx, listener, &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute})
	}()
	return func() error {
		cancel()
		return <-result
	}
}

// get makes a request to a listener, with a Host.
func get(t *testing.T, listener net.Listener, host string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, listener.Addr().Network(), listener.Addr().String())
		},
	}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func listening(t *testing.T, network, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func TestServeDemandsALoopbackHost(t *testing.T) {
	t.Parallel()
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	tcp := listening(t, "tcp", "127.0.0.1:0")
	end := serving(t, tcp, served)
	for host, want := range map[string]int{
		"localhost": http.StatusNoContent, "127.0.0.1:80": http.StatusNoContent, "[::1]:8080": http.StatusNoContent,
		"evil.test": http.StatusMisdirectedRequest, "evil.test:80": http.StatusMisdirectedRequest, "10.1.2.3": http.StatusMisdirectedRequest,
	} {
		if got := get(t, tcp, host); got != want {
			t.Errorf("%s: %d, want %d", host, got, want)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}

	unix := listening(t, "unix", socket(t))
	end = serving(t, unix, served)
	if got := get(t, unix, "anything.test"); got != http.StatusNoContent {
		t.Errorf("by a Unix socket: %d", got)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestServeRefusesOtherListeners(t *testing.T) {
	t.Parallel()
	wide := listening(t, "tcp4", "0.0.0.0:0")
	if err := Serve(t.Context(), wide, &http.Server{ReadHeaderTimeout: time.Minute}); err == nil {
		t.Error("all interfaces were served")
	}
	if _, err := wide.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
}

func TestServeTellsWhyItEnded(t *testing.T) {
	t.Parallel()
	listener := listening(t, "tcp", "127.0.0.1:0")
	_ = listener.Close()
	if err := Serve(t.Context(), listener, &http.Server{ReadHeaderTimeout: time.Minute}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// A request under way ends well, and a connection that was taken over is cut.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 2), make(chan struct{})
	listener := listening(t, "tcp", "127.0.0.1:0")
	end := serving(t, listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-release
			return
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = connection.Close() }()
		entered <- struct{}{}
		// As a tunnel does, whose context nobody looks at while it reads.
		if _, err := io.Copy(io.Discard, connection); err == nil {
			t.Error("the client closed its connection")
		}
	}))

	slow, taken := listeningClient(t, listener, "/slow"), listeningClient(t, listener, "/taken")
	<-entered
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	// The listener is closed first; only then is there somebody to wait for.
	for {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			break
		}
		_ = connection.Close()
	}
	close(release)
	if answer, err := io.ReadAll(slow); err != nil || len(answer) < 12 || string(answer[:12]) != "HTTP/1.1 200" {
		t.Errorf("the slow request got %q, %v", answer, err)
	}
	if _, err := io.ReadAll(taken); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// listeningClient sends a request and leaves the answer to be read.
func listeningClient(t *testing.T, listener net.Listener, path string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err := io.WriteString(connection, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return connection
}
