package standin

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	hugeBody  = 10 << 20
	hugeChunk = 64 << 10

	page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>" +
		"<body><h1>Sign in</h1><form method=\"post\"><input name=\"user\"></form></body></html>\n"
)

// misbehave answers with a fault. honest makes the answer that is withheld.
func (s *Server) misbehave(w http.ResponseWriter, req *request, b *Behavior, honest func() []byte) {
	switch b.Fault {
	case NoFault: // the caller answers that
	case Hang:
		<-req.http.Context().Done()
		panic(http.ErrAbortHandler) // else net/http would answer 200
	case Reset:
		reset(w)
	case Truncated:
		s.truncate(w, b, honest())
	case Huge:
		s.flood(w, b)
	case TooMany:
		s.throttle(w, req, b)
	case Redirect:
		location := b.Location
		if location == "" {
			location = TrapPath
		}
		w.Header().Set("Location", location)
		s.send(w, b, http.StatusTemporaryRedirect, "text/plain; charset=utf-8", "moved")
	case Respond:
		s.send(w, b, http.StatusServiceUnavailable, "text/plain; charset=utf-8", "")
	case Garbage:
		s.send(w, b, http.StatusOK, "", garbage())
	case HTML:
		s.send(w, b, http.StatusOK, "text/html; charset=utf-8", page)
	case Empty:
		s.send(w, b, http.StatusOK, "", "")
	case ErrorIn200:
		code := b.Code
		if code == "" {
			code = "invalid_client"
		}
		s.send(w, b, http.StatusOK, "", string(s.dialect.failure(nil, code, "an error in a success")))
	case Echo:
		s.echo(w, req, b)
	}
}

// send writes an answer of which the behavior may replace every part. No type
// means that of the system.
func (s *Server) send(w http.ResponseWriter, b *Behavior, status int, contentType, body string) {
	if b.Status != 0 {
		status = b.Status
	}
	if b.Body != "" {
		body = b.Body
	}
	if b.ContentType != "" {
		contentType = b.ContentType
	}
	if contentType != "" {
		w.Header().Set("Content-Type", contentType)
	}
	maps.Copy(w.Header(), b.Header)
	s.write(w, status, []byte(body))
}

// throttle answers 429 and remembers until when the client should wait.
func (s *Server) throttle(w http.ResponseWriter, req *request, b *Behavior) {
	if b.RetryAfter > 0 {
		wait := (b.RetryAfter + time.Second - 1).Truncate(time.Second)
		value := strconv.FormatInt(int64(wait/time.Second), 10)
		at := s.options.Clock().Add(wait)
		if b.RetryAfterDate {
			at = at.Truncate(time.Second)
			value = at.UTC().Format(http.TimeFormat)
		}
		req.client.retryAfter(at)
		w.Header().Set("Retry-After", value)
	}
	contentType := "" // the system's own, unless its 429 is not JSON
	if !strings.HasPrefix(s.dialect.throttled, "{") {
		contentType = "text/plain; charset=utf-8"
	}
	s.send(w, b, http.StatusTooManyRequests, contentType, s.dialect.throttled)
}

// reset closes the connection so that the client gets RST instead of an answer.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // not a network connection; the next best thing
	}
	inner := connection
	if wrapped, ok := connection.(interface{ NetConn() net.Conn }); ok {
		inner = wrapped.NetConn()
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the client gets FIN, which will do
	}
	_ = inner.Close() // nothing can be done about it
}

// truncate announces an answer, sends half of it and cuts the connection.
func (s *Server) truncate(w http.ResponseWriter, b *Behavior, body []byte) {
	if b.Body != "" {
		body = []byte(b.Body)
	}
	maps.Copy(w.Header(), s.dialect.header)
	s.date(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body[:len(body)/2])        // the client may be gone
	_ = http.NewResponseController(w).Flush() // likewise
	panic(http.ErrAbortHandler)
}

// flood answers JSON that would be good if it were not so long.
func (s *Server) flood(w http.ResponseWriter, b *Behavior) {
	maps.Copy(w.Header(), s.dialect.header)
	maps.Copy(w.Header(), b.Header)
	s.date(w.Header())
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write([]byte(`{"padding":"`)); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte{'x'}, hugeChunk)
	for sent := 0; sent < hugeBody; sent += hugeChunk {
		if _, err := w.Write(chunk); err != nil {
			return // the client has had enough
		}
	}
	_, _ = w.Write([]byte(`","access_token":"too-late","token_type":"Bearer","expires_in":60}`)) // the client may be gone
}

// echo answers an error that gives every secret of the request away.
func (s *Server) echo(w http.ResponseWriter, req *request, b *Behavior) {
	authorization := req.http.Header.Get("Authorization")
	_, pair, _ := strings.Cut(authorization, " ")
	id, secret, _ := basic(req.http.Header)
	parts := []string{
		"client " + req.clientID, "secret " + req.secret,
		"Authorization: " + authorization, "pair " + pair, "decoded " + id + ":" + secret,
		appTokenHeader + ": " + req.http.Header.Get(appTokenHeader),
	}
	for _, name := range credentials() {
		if req.form.has(name) {
			parts = append(parts, name+" "+req.form.get(name))
		}
	}
	told := strings.Join(parts, ", ")
	w.Header().Set("X-Debug", strings.Map(visible, told))
	w.Header().Set("Www-Authenticate", `Basic realm="`+strings.Map(visible, told)+`"`)
	s.send(w, b, http.StatusUnauthorized, "", string(s.dialect.failure(nil, "invalid_client", told)))
}

// visible drops what may not be in a header.
func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// garbage is neither JSON nor UTF-8.
func garbage() string {
	noise := make([]byte, 256)
	for i := range noise {
		noise[i] = byte(i*167 + 13)
	}
	return "\xff\xfe\x00{" + string(noise)
}
