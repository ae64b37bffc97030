package oauth

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/tokensync/tokensync/internal/redact"
)

// net/http repeats requests on a connection that dies, if it may.
func TestARequestIsNotRepeated(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		method string
		format BodyFormat
		empty  bool
	}{
		"POST a form":       {method: http.MethodPost, format: BodyForm},
		"POST an empty one": {method: http.MethodPost, format: BodyForm, empty: true},
		"PUT JSON":          {method: http.MethodPut, format: BodyJSON},
		"PUT a query":       {method: http.MethodPut, format: BodyQuery},
		"PUT nothing":       {method: http.MethodPut, format: BodyNone},
		"POST nothing":      {method: http.MethodPost, format: BodyNone},
		"GET a query":       {method: http.MethodGet, format: BodyQuery},
		"GET nothing":       {method: http.MethodGet, format: BodyNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var count atomic.Int32

			server, _, _, requests := counting(t, func(w http.ResponseWriter, r *http.Request) {
				if count.Add(1) > 1 {
					panic(http.ErrAbortHandler)
				}

				ok(w, r)
			})

			client := newLocalClient(t, Options{})
			request := requestTo(server, "a")
			request.Method, request.BodyFormat = test.method, test.format
			request.Headers = []Field{{Name: "Idempotency-Key", Value: redact.New("k")}}

			if test.empty || test.format == BodyNone {
				request.Client = ClientAuthentication{Method: MethodNone}
			}

			if _, err := client.Token(t.Context(), request); err != nil {
				t.Fatal(err)
			}

			if _, err := client.Token(t.Context(), request); err == nil {
				t.Fatal("the second request succeeded")
			}

			if n := requests.Load(); n != 2 {
				t.Errorf("the server saw %d requests, want 2", n)
			}
		})
	}
}

func TestConnectionsThatAreNotShared(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		change func(*Request)
		own    bool
	}{
		"a form":        {change: func(*Request) {}},
		"a query":       {change: func(r *Request) { r.BodyFormat = BodyQuery }, own: true},
		"an empty form": {change: func(r *Request) { r.Client = ClientAuthentication{Method: MethodNone} }, own: true},
		"a refresh token": {
			change: func(r *Request) { r.GrantType = "refresh_token" }, own: true,
		},
		"a code": {change: func(r *Request) { r.GrantType = "authorization_code" }, own: true},
		"a device's code": {
			change: func(r *Request) { r.GrantType = "urn:ietf:params:oauth:grant-type:device_code" }, own: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			// Over HTTP/2 a request may be repeated even on a connection of its own.
			var protocol atomic.Value

			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				protocol.Store(r.Proto)
				ok(w, r)
			}))
			server.EnableHTTP2 = true

			var opened atomic.Int32

			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			server.StartTLS()
			t.Cleanup(server.Close)

			client := newLocalClient(t, Options{})
			request := requestTo(server, "a")
			request.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			test.change(&request)

			for range 3 {
				if _, err := client.Token(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}

			connections, version := int32(1), "HTTP/2.0"
			if test.own {
				connections, version = 3, "HTTP/1.1"
			}

			if n := opened.Load(); n != connections || protocol.Load() != version {
				t.Errorf("%d connections, %s; want %d, %s", n, protocol.Load(), connections, version)
			}
		})
	}
}
