package health

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"0":                "  ",
		":9808":            "tcp :9808 :9808=127.0.0.1:9808",
		"127.0.0.1:1":      "tcp 127.0.0.1:1 127.0.0.1:1",
		"localhost:65535":  "tcp localhost:65535 localhost:65535",
		"0.0.0.0:9808":     "tcp 0.0.0.0:9808 127.0.0.1:9808",
		"[::]:9808":        "tcp [::]:9808 127.0.0.1:9808",
		"[::1]:9808":       "tcp [::1]:9808 [::1]:9808",
		"[fd00::7]:9808":   "tcp [fd00::7]:9808 [fd00::7]:9808",
		"unix:/run/h.sock": "unix /run/h.sock /run/h.sock",
		"":                 "", "9808": "", "1": "", ":0": "", ":65536": "", ":http": "", ":-1": "", "::": "", "::1:9808": "",
		"unix:": "", "unix:h.sock": "", "http://127.0.0.1:1": "", "pod.example:9808": "", "127.0.0.1": "", "10.0.0.1:": "",
	} {
		network, target, err := Split(address)
		if (err == nil) != (want != "") {
			t.Errorf("%q: got %v", address, err)
			continue
		}
		if err != nil {
			continue
		}
		_, probed, _ := dialed(address)
		full := want
		if _, after, found := strings.Cut(want, "="); found {
			full = "tcp :9808 " + after
		}
		if got := fmt.Sprintf("%s %s %s", network, target, probed); got != full {
			t.Errorf("%q: got %q, want %q", address, got, full)
		}
	}
}

// serve serves until the test ends, or stop is called.
func serve(t *testing.T, h *Health, address string) (stop func()) {
	t.Helper()
	listener, err := Listen(t.Context(), "--health-address", address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, listener) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// free is a port that nobody has at the moment.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestProbe(t *testing.T) {
	t.Parallel()
	socket := "unix:" + filepath.Join(t.TempDir(), "h.sock")
	for _, address := range []string{":" + free(t), "127.0.0.1:" + free(t), socket} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			if err := Probe(t.Context(), address); err == nil || !strings.HasPrefix(err.Error(), "ask the sidecar at "+address+": dial ") {
				t.Errorf("nobody there: got %v", err)
			}
			h, current, clock := newHealth("files")
			stop := serve(t, h, address)
			want := "not ready: no token yet: the source has none, or cannot be read; the log tells more"
			if err := Probe(t.Context(), address); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			set := setOf(t, "token", time.Hour)
			current.Offer(set)
			h.Delivered("files", set, nil)
			if err := Probe(t.Context(), address); err != nil {
				t.Error(err)
			}
			clock.SetTime(noon.Add(2 * time.Hour))
			if err := Probe(t.Context(), address); err == nil || !strings.Contains(err.Error(), "expired at 2026-11-22T13:00:00Z") {
				t.Errorf("got %v", err)
			}
			stop()
			if err := Probe(t.Context(), address); err == nil {
				t.Error("it is still there")
			}
		})
	}
	for address, want := range map[string]string{
		"0": "nobody can be asked at the health address 0, which turns it off",
		"x": "x: must be an address such as :9808, 127.0.0.1:9808 or unix:/path, or 0 for none",
	} {
		if err := Probe(t.Context(), address); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestProbeOfAnother has somebody else at the address.
func TestProbeOfAnother(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "no\x1b[31m\n"+strings.Repeat("x", 10_000))
	}))
	t.Cleanup(server.Close)
	err := Probe(t.Context(), server.Listener.Addr().String())
	if err == nil || len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("got %v", err)
	}
}

// TestProbeIsOverSoon has somebody at the address who never answers.
func TestProbeIsOverSoon(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Probe(ctx, listener.Addr().String()); err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("got %v", err)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	port := free(t)
	h, _, _ := newHealth()
	stop := serve(t, h, "127.0.0.1:"+port)
	defer stop()
	if _, err := Listen(t.Context(), "--health-address", "127.0.0.1:"+port); err == nil ||
		!strings.HasPrefix(err.Error(), "--health-address=127.0.0.1:"+port+": ") {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(t.TempDir(), "h.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if _, err := Listen(t.Context(), "--health-address", "unix:"+path); err == nil {
		t.Error("the socket of another process was taken away")
	}
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	stopSocket := serve(t, h, "unix:"+path)
	stopSocket()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// TestServeEndsWithItsListener holds because a sidecar without health has to end, and the
// kubelet starts another.
func TestServeEndsWithItsListener(t *testing.T) {
	t.Parallel()
	h, _, _ := newHealth()
	listener, err := Listen(t.Context(), "--health-address", "127.0.0.1:"+free(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Serve(t.Context(), listener); err == nil {
		t.Error("no error")
	}
}
