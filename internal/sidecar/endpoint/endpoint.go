package endpoint

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

const (
	path = "/token"
	// header has to be there with the value `true`.
	header = "Tokensync"

	maxHeaderBytes = 8 << 10
	headerTime     = 5 * time.Second
	requestTime    = 10 * time.Second
	idleTime       = time.Minute
)

// Options says what an Endpoint serves.
type Options struct {
	Current *sidecar.Current
	// TokenKey is the value of --token-key, for messages.
	TokenKey string
	Clock    clock.PassiveClock
	Log      *slog.Logger
}

// Endpoint answers with the token. It is safe for concurrent use.
type Endpoint struct{ options Options }

// New makes an Endpoint.
func New(options Options) *Endpoint { return &Endpoint{options: options} }

// Run serves until the context ends, and closes the listener. loopback.Serve has more of
// it; the error is something that ended it before.
func (e *Endpoint) Run(ctx context.Context, listener net.Listener) error {
	return loopback.Serve(ctx, listener, &http.Server{
		Handler:           e,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      requestTime,
		IdleTimeout:       idleTime,
		ErrorLog:          slog.NewLogLogger(e.options.Log.Handler(), slog.LevelWarn),
	})
}

// ServeHTTP answers one request. What a request must not bring is looked at first, so
// that a web page learns nothing, not even which paths there are.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := foreign(r.Header); name != "" {
		refuse(w, http.StatusForbidden, "forbidden", "The request has a header "+name+", so it comes from a web page or through a proxy. "+
			"Ask for the token directly, from a program in this pod and without that header.")
		return
	}
	if r.URL.Path != path {
		refuse(w, http.StatusNotFound, "not_found", "There is only "+path+" here.")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "Ask for the token by GET.")
		return
	}
	if values := r.Header.Values(header); len(values) != 1 || values[0] != "true" {
		refuse(w, http.StatusForbidden, "forbidden", `Send the header "`+header+`: true", so that nobody asks for the token by accident.`)
		return
	}
	e.serveToken(w)
}

// foreign names the header that a web page or a proxy added, if there is one.
func foreign(header http.Header) string {
	for _, name := range []string{"Origin", "Forwarded"} {
		if _, ok := header[name]; ok {
			return name
		}
	}
	for name := range header {
		if strings.HasPrefix(name, "X-Forwarded") {
			// Whoever sends it chose the rest of its name.
			return "X-Forwarded-*"
		}
	}
	return ""
}

func (e *Endpoint) serveToken(w http.ResponseWriter) {
	set, now := e.options.Current.Set(), e.options.Clock.Now()
	if code, sentence := loopback.Missing(set, e.options.TokenKey, now); code != "" {
		w.Header().Set("Retry-After", loopback.RetryAfter)
		refuse(w, http.StatusServiceUnavailable, code, sentence)
		return
	}
	write(w, http.StatusOK, newAnswer(set, now))
}
