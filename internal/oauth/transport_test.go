package oauth

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/redact"
)

// newLocalClient returns a client for servers on this machine.
func newLocalClient(t *testing.T, options Options) *Client {
	t.Helper()

	options.AllowInsecureHTTP, options.Random = true, strings.NewReader("")
	options.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
	options.Egress = egress.NewPolicy(egress.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})

	c := NewClient(options)
	t.Cleanup(c.CloseIdleConnections)

	return c
}

// counting starts a server that counts its connections and requests.
func counting(t *testing.T, handle http.HandlerFunc) (server *httptest.Server, opened, closed, requests *atomic.Int32) {
	t.Helper()

	opened, closed, requests = &atomic.Int32{}, &atomic.Int32{}, &atomic.Int32{}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handle(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}

		if state == http.StateClosed {
			closed.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)

	return server, opened, closed, requests
}

func ok(w http.ResponseWriter, _ *http.Request) {
	if _, err := io.WriteString(w, `{"access_token":"t"}`); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func requestTo(server *httptest.Server, pool string) Request {
	return Request{
		TokenURL: server.URL, Pool: pool, Timeout: 10 * time.Second,
		Client: ClientAuthentication{Method: MethodClientSecretPost, ID: "i", Secret: redact.New("hunter22")},
	}
}

func TestConnectionsAreSharedWithinAPool(t *testing.T) {
	t.Parallel()

	server, opened, closed, _ := counting(t, ok)
	client := newLocalClient(t, Options{MaxPools: 2})

	ask := func(pool string) {
		t.Helper()

		if _, err := client.Token(t.Context(), requestTo(server, pool)); err != nil {
			t.Fatal(err)
		}
	}

	ask("a")
	ask("a")

	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for one pool", n)
	}

	ask("b")
	ask("a")

	if n := opened.Load(); n != 2 {
		t.Errorf("%d connections for two pools", n)
	}

	ask("c") // evicts b, which was used least recently

	for range 500 {
		if closed.Load() == 1 {
			break
		}

		time.Sleep(10 * time.Millisecond)
	}

	if n := closed.Load(); n != 1 {
		t.Errorf("%d connections were closed with the evicted pool", n)
	}

	ask("a")

	if n := opened.Load(); n != 3 {
		t.Errorf("%d connections, the pool used last was evicted", n)
	}
}

func TestPoolsAreKeyedByBundle(t *testing.T) {
	t.Parallel()

	tlsServer := httptest.NewTLSServer(nil)
	t.Cleanup(tlsServer.Close)

	client := newLocalClient(t, Options{})
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tlsServer.Certificate().Raw})

	system, err := client.pools.get(connection{pool: "a"})
	if err != nil {
		t.Fatal(err)
	}

	if _, err := client.pools.get(connection{pool: "a", bundle: []byte{}}); err == nil {
		t.Error("an empty bundle shares the system's roots")
	}

	own, err := client.pools.get(connection{pool: "a", bundle: bundle})
	if err != nil {
		t.Fatal(err)
	}

	again, err := client.pools.get(connection{pool: "a", bundle: append([]byte{}, bundle...)})
	if err != nil {
		t.Fatal(err)
	}

	other, err := client.pools.get(connection{pool: "a", bundle: append(bundle, '\n')})
	if err != nil {
		t.Fatal(err)
	}

	if system == own || own != again || own == other {
		t.Error("transports are not shared by bundle")
	}

	if system.Proxy != nil || system.TLSClientConfig.RootCAs != nil || own.TLSClientConfig.RootCAs == nil ||
		system.TLSClientConfig.ClientSessionCache == own.TLSClientConfig.ClientSessionCache ||
		system.TLSClientConfig.InsecureSkipVerify {
		t.Error("a transport is not what it should be")
	}

	if newLocalClient(t, Options{UseProxy: true}).pools.proxy == nil {
		t.Error("UseProxy uses no proxy")
	}
}

func TestAProxy(t *testing.T) {
	t.Parallel()

	proxy, _, _, requests := counting(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			http.Error(w, "hunter22", http.StatusProxyAuthRequired)

			return
		}

		ok(w, r)
	})
	target, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}

	client := newLocalClient(t, Options{})
	client.pools.proxy = http.ProxyURL(target)

	request := requestTo(proxy, "a")
	request.TokenURL = "http://id.example.invalid/token"

	if _, err := client.Token(t.Context(), request); err != nil {
		t.Error(err)
	}

	request.TokenURL = "https://id.example.invalid/token"
	want := "The proxy of the environment refused to connect to id.example.invalid with HTTP status 407."

	if _, err := client.Token(t.Context(), request); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	// The dialer sees the proxy's address only.
	request.TokenURL = "http://169.254.169.254/token"
	want = "The host 169.254.169.254 of tokenURL leads to a cloud metadata address"

	if _, err := client.Token(t.Context(), request); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}

	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests to the proxy", n)
	}
}

func TestWhatAClientNeeds(t *testing.T) {
	t.Parallel()

	for name, options := range map[string]Options{
		"a clock":         {Random: strings.NewReader("")},
		"a random source": {Now: func() time.Time { return time.Time{} }},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic without %s", name)
				}
			}()

			NewClient(options)
		}()
	}
}
