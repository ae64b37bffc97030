package loopback

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	t.Parallel()
	long := "/" + strings.Repeat("a", maxPath-1)
	for value, want := range map[string]string{
		"127.0.0.1:8080":             "127.0.0.1:8080",
		"127.0.0.1:1":                "127.0.0.1:1",
		"127.0.0.1:65535":            "127.0.0.1:65535",
		"[::1]:8080":                 "[::1]:8080",
		"localhost:8080":             "127.0.0.1:8080",
		"unix:/run/tokensync/s.sock": "unix:/run/tokensync/s.sock",
		"unix:" + long:               "unix:" + long,
		"unix:" + long + "a":         "",
		"":                           "",
		":8080":                      "",
		"8080":                       "",
		"127.0.0.1":                  "",
		"127.0.0.1:":                 "",
		"127.0.0.1:0":                "",
		"127.0.0.1:65536":            "",
		"127.0.0.1:+80":              "",
		"127.0.0.1:http":             "",
		"127.0.0.2:8080":             "",
		"0.0.0.0:8080":               "",
		"[::]:8080":                  "",
		"[::ffff:127.0.0.1]:8080":    "",
		"[::1%lo]:8080":              "",
		"::1:8080":                   "",
		"10.0.0.1:8080":              "",
		"example.com:8080":           "",
		"localhost.:8080":            "",
		"http://127.0.0.1:8080":      "",
		"unix:":                      "",
		"unix:/":                     "",
		"unix:run/s.sock":            "",
		"unix:/run/../s.sock":        "",
		"unix:/run/s.sock/":          "",
		"unix:///run/s.sock":         "",
		"unix:@abstract":             "",
		"unix:/run/\x00":             "",
		"/run/s.sock":                "",
	} {
		address, err := Parse("--token-address", value)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was read as %s", value, address)
		case want == "" && !strings.HasPrefix(err.Error(), "--token-address is "):
			t.Errorf("%q: the message names no flag: %v", value, err)
		case want != "" && (err != nil || address.String() != want):
			t.Errorf("%q: %s, %v, want %s", value, address, err, want)
		case want != "" && address.IsUnix() != strings.HasPrefix(want, "unix:"):
			t.Errorf("%q: unix is %t", value, address.IsUnix())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, value := range []string{"127.0.0.1:80", "[::1]:80", "localhost:1", "unix:/a", "unix:", ":", "[", "unix:/\x00"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		address, err := Parse("--token-address", value)
		if err != nil {
			return
		}
		again, err := Parse("--token-address", address.String())
		if err != nil || again != address {
			t.Fatalf("%q became %s, and that %s, %v", value, address, again, err)
		}
		if address.IsUnix() {
			return
		}
		host, _, err := net.SplitHostPort(address.String())
		if err != nil || !net.ParseIP(host).IsLoopback() {
			t.Fatalf("%q became %s", value, address)
		}
	})
}

// socket is a path that is short enough for a Unix socket.
func socket(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "ts") //nolint:usetesting // t.TempDir has the name of the test in it, and is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	return filepath.Join(directory, "s")
}

func parsed(t *testing.T, value string) Address {
	t.Helper()
	address, err := Parse("--token-address", value)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestListenOnASocket(t *testing.T) {
	t.Parallel()
	path := socket(t)
	address := parsed(t, "unix:"+path)
	listener, err := address.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("the socket is %s, %v", info.Mode(), err)
	}

	if _, err = address.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), "another process listens on "+path) {
		t.Errorf("a socket in use: %v", err)
	}
	if err = listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err = os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestListenOnAStaleSocket(t *testing.T) {
	t.Parallel()
	path := socket(t)
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()

	listener, err := parsed(t, "unix:"+path).Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("unix", path)
	if err != nil {
		t.Error(err)
	} else {
		_ = connection.Close()
	}
	_ = listener.Close()
}

func TestListenDestroysNothing(t *testing.T) {
	t.Parallel()
	path := socket(t)
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := parsed(t, "unix:"+path).Listen(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--token-address: "+path+" exists and is not a socket") {
		t.Errorf("a file: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "kept" {
		t.Errorf("the file holds %q, %v", content, err)
	}

	_, err = parsed(t, "unix:"+filepath.Join(filepath.Dir(path), "missing", "s")).Listen(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "--token-address: ") {
		t.Errorf("no directory: %v", err)
	}
}

func TestListenByTCP(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := parsed(t, taken.Addr().String())
	if _, err = address.Listen(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "--token-address: ") {
		t.Errorf("a port that is taken: %v", err)
	}
	_ = taken.Close()
	listener, err := address.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if listener.Addr().String() != address.String() {
		t.Errorf("listens on %s, not %s", listener.Addr(), address)
	}
	_ = listener.Close()
}
