package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// gRPC is HTTP/2 with trailers on both sides of the proxy, with TLS at the upstream or
// without.
func TestGRPC(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"without TLS": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" || r.Header.Get("Authorization") != "Bearer t1" {
					t.Errorf("asked by %s with %v", r.Proto, r.Header)
				}
				w.Header().Set("Content-Type", "application/grpc")
				_, _ = io.Copy(w, r.Body)
				w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
			}))
			server.EnableHTTP2 = true
			if secure {
				server.StartTLS()
			} else {
				server.Config.Protocols = &http.Protocols{}
				server.Config.Protocols.SetHTTP1(true)
				server.Config.Protocols.SetUnencryptedHTTP2(true)
				server.Start()
			}
			t.Cleanup(server.Close)
			s := before(t, server, "")

			client := &http.Transport{Protocols: &http.Protocols{}}
			client.Protocols.SetUnencryptedHTTP2(true)
			t.Cleanup(client.CloseIdleConnections)
			request := s.request(t, http.MethodPost, "/package.Service/Method", io.LimitReader(zeros{}, 100<<10))
			request.Header.Set("Content-Type", "application/grpc+proto")
			request.Header.Set("Te", "trailers")
			response, err := client.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if len(body) != 100<<10 || err != nil || response.ProtoMajor != 2 || response.Trailer.Get("Grpc-Status") != "0" {
				t.Errorf("%d bytes, %v, by %s, trailers %v", len(body), err, response.Proto, response.Trailer)
			}
		})
	}
}

// shake asks the proxy to change the protocol, and answers the connection afterwards.
func shake(t *testing.T, s *stand) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err = io.WriteString(connection, "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: hidden\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return connection, reader, response
}

// socket is an upstream that changes the protocol and then answers line by line. It
// refuses tokens other than the good one.
func socket(t *testing.T, good string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+good:
			w.WriteHeader(http.StatusUnauthorized)
			return
		case r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Version") != "13":
			t.Errorf("asked with %v", r.Header)
		}
		connection, reader, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = connection.Close() }()
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello\n")
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(connection, strings.ToUpper(line))
		}
	}
}

func TestWebSockets(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"plain": false, "with HTTP/2 beside it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := before(t, upstream(t, secure, socket(t, "t2")), "")
			// The first token is refused, and the request repeated: it has no body.
			s.refresh = func(context.Context) error {
				s.offer(t, "t2", 0)
				return nil
			}
			connection, reader, response := shake(t, s)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Sec-Websocket-Accept") != "x" {
				t.Fatalf("%d %v", response.StatusCode, response.Header)
			}
			for _, text := range []string{"hello", "A", "B"} {
				line, err := reader.ReadString('\n')
				if err != nil || strings.TrimSpace(line) != text {
					t.Errorf("got %q, %v, want %s", line, err, text)
				}
				_, _ = io.WriteString(connection, map[string]string{"hello": "a\n", "A": "b\n"}[text])
			}
			// The end of the process is the end of the connection.
			s.end()
			if line, err := reader.ReadString('\n'); err == nil {
				t.Errorf("still there: %s", line)
			}
			if got := s.counts.read(); got.status[http.StatusSwitchingProtocols] != 1 || got.repeats != 1 {
				t.Errorf("counted %v, %d repeats", got.status, got.repeats)
			}
		})
	}
}
