package proxy

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Each line is there before the next is written.
func TestEvents(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := make(chan struct{})
			server := upstream(t, secure, func(w http.ResponseWriter, r *http.Request) {
				if secure != (r.ProtoMajor == 2) {
					t.Errorf("asked by %s", r.Proto)
				}
				w.Header().Set("Content-Type", r.URL.Query().Get("type"))
				for i := range 3 {
					_, _ = fmt.Fprintf(w, "data: %d\n", i)
					_ = http.NewResponseController(w).Flush()
					<-next
				}
			})
			s := before(t, server, "")
			for _, kind := range []string{"text/event-stream", "application/octet-stream"} {
				response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(s.request(t, http.MethodGet, "/?type="+kind, http.NoBody))
				if err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(response.Body)
				for i := 0; lines.Scan(); i++ {
					if want := fmt.Sprintf("data: %d", i); lines.Text() != want {
						t.Errorf("got %s, want %s", lines.Text(), want)
					}
					next <- struct{}{}
				}
				_ = response.Body.Close()
			}
		})
	}
}

// What a client sends is there before it sends the next, and so is the answer.
func TestBothDirectionsAtOnce(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := upstream(t, secure, func(w http.ResponseWriter, r *http.Request) {
				controller := http.NewResponseController(w)
				_ = controller.EnableFullDuplex()
				for line := bufio.NewScanner(r.Body); line.Scan(); {
					_, _ = fmt.Fprintln(w, strings.ToUpper(line.Text()))
					_ = controller.Flush()
				}
			})
			s := before(t, server, "")
			read, write := io.Pipe()
			go func() { _, _ = io.WriteString(write, "a\n") }()
			// A connection that is to be kept is the one on which a server reads a request to
			// its end before it answers, unless it is told otherwise.
			client := &http.Transport{}
			t.Cleanup(client.CloseIdleConnections)
			response, err := client.RoundTrip(s.request(t, http.MethodPost, "/", read))
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(response.Body)
			for _, text := range []string{"b", "c", ""} {
				if !lines.Scan() {
					t.Fatal("the answer ended")
				}
				if want := map[string]string{"b": "A", "c": "B", "": "C"}[text]; lines.Text() != want {
					t.Errorf("got %s, want %s", lines.Text(), want)
				}
				if text != "" {
					_, _ = io.WriteString(write, text+"\n")
				}
			}
			_ = write.Close()
			if lines.Scan() {
				t.Errorf("more: %s", lines.Text())
			}
			_ = response.Body.Close()
		})
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := upstream(t, secure, func(w http.ResponseWriter, r *http.Request) {
				n, err := io.Copy(io.Discard, r.Body)
				if n != size || err != nil {
					t.Errorf("%d bytes arrived, %v", n, err)
				}
				if r.URL.Path == "/known" && r.ContentLength != size {
					t.Errorf("a length of %d", r.ContentLength)
				}
				_, _ = io.CopyN(w, zeros{}, size)
			})
			s := before(t, server, "")
			for _, path := range []string{"/known", "/chunked"} {
				request := s.request(t, http.MethodPut, path, io.LimitReader(zeros{}, size))
				if path == "/known" {
					request.ContentLength = size
				}
				response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, response.Body); n != size || err != nil {
					t.Errorf("%s: %d bytes came back, %v", path, n, err)
				}
				_ = response.Body.Close()
			}
		})
	}
}

func TestAnswersPassAsTheyAre(t *testing.T) {
	t.Parallel()
	server := upstream(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("accepts %s", r.Header.Get("Accept-Encoding"))
		}
		header := w.Header()
		header["Content-Type"] = nil
		header.Add("Set-Cookie", "a=b; Secure")
		header.Add("Set-Cookie", "c=d; HttpOnly")
		header.Set("WWW-Authenticate", `Bearer realm="r"`)
		header.Set("Location", "https://elsewhere.test/")
		if r.URL.Path == "/gzip" {
			header.Set("Content-Encoding", "gzip")
		}
		header.Set("Trailer", "X-Sum")
		w.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = io.WriteString(w, "<html>not gzip")
		header.Set("X-Sum", "1")
		header.Set(http.TrailerPrefix+"X-Unannounced", "2")
	})
	s := before(t, server, "")
	if got := s.get(t, "/"); got.header.Values("Content-Type") != nil {
		t.Errorf("the type became %s", got.header.Values("Content-Type"))
	}
	got := s.get(t, "/gzip")
	if got.status != http.StatusTemporaryRedirect || got.body != "<html>not gzip" {
		t.Errorf("%d %q", got.status, got.body)
	}
	for header, want := range map[string][]string{
		"Set-Cookie": {"a=b; Secure", "c=d; HttpOnly"}, "Www-Authenticate": {`Bearer realm="r"`},
		"Location": {"https://elsewhere.test/"}, "Content-Encoding": {"gzip"}, "Content-Type": nil, "Retry-After": nil, "Via": nil,
	} {
		if !slices.Equal(got.header.Values(header), want) {
			t.Errorf("%s: %q", header, got.header.Values(header))
		}
	}
	if got.trailer.Get("X-Sum") != "1" || got.trailer.Get("X-Unannounced") != "2" {
		t.Errorf("trailers: %v", got.trailer)
	}
	if count := s.counts.read().status[http.StatusTemporaryRedirect]; count != 2 {
		t.Errorf("counted %d", count)
	}
}

// The expectation reaches the upstream, which refuses before the body is sent.
func TestExpectations(t *testing.T) {
	t.Parallel()
	server := upstream(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxHeld {
			if r.Header.Get("Expect") != "100-continue" {
				t.Error("no expectation")
			}
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		if r.Header.Get("Expect") != "" {
			t.Error("an expectation that has been met")
		}
		_, _ = io.Copy(w, r.Body)
	})
	s := before(t, server, "")
	const form = "PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n%s"
	if answer := speak(t, strings.TrimPrefix(s.base, "http://"), fmt.Sprintf(form, maxHeld+1, "")); !strings.HasPrefix(answer, "HTTP/1.1 417") {
		t.Errorf("a large body: %s", answer)
	}
	answer := speak(t, strings.TrimPrefix(s.base, "http://"), fmt.Sprintf(form, 5, "small"))
	if !strings.HasPrefix(answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200") || !strings.HasSuffix(answer, "small") {
		t.Errorf("a small body: %s", answer)
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	transport := newTransport(nil)
	if transport.Proxy != nil {
		t.Error("the proxies of the environment are used")
	}
	if transport.MaxIdleConns == 0 || transport.MaxIdleConnsPerHost == 0 || transport.IdleConnTimeout == 0 {
		t.Error("idle connections have no bound")
	}
	if transport.TLSClientConfig.MinVersion != tls.VersionTLS12 || transport.TLSClientConfig.InsecureSkipVerify {
		t.Error("any TLS will do")
	}
}
