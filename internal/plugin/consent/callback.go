package consent

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const (
	// headerTime is how long a browser has for the headers of its request, and farewell
	// how long for the page that it is shown.
	headerTime = 5 * time.Second
	farewell   = 2 * time.Second
	maxHeaders = 64 << 10
)

// callback waits on a loopback address for the one answer of an authorization endpoint.
type callback struct {
	// uri is the redirect URI, with the port.
	uri     string
	path    string
	port    string
	state   redact.String
	answers chan answer
	// astray is what was wrong with the first answer that was not to this login.
	astray chan error
	taken  atomic.Bool
	server *http.Server
}

// answer is what the browser brought, and where to say what came of it.
type answer struct {
	query   url.Values
	outcome chan<- outcome
}

// outcome is what the page in the browser says.
type outcome struct {
	// err is nil where all went well.
	err error
	// note says what there is to know beyond that.
	note string
}

// listen listens for the answer to a redirect URI of the loopback interface: on its port,
// or on any that is free. Only an answer with the state is one.
func listen(ctx context.Context, redirectURI string, state redact.String) (*callback, error) {
	parsed, err := url.Parse(redirectURI)
	if err != nil || parsed.Scheme != "http" || !oauth.IsLoopback(parsed.Hostname()) {
		return nil, fmt.Errorf("the redirect URI %q is not one of this machine, where the answer could be heard: set "+
			"spec.authorizationCode.redirectURI to one such as http://127.0.0.1/callback, and register it with the provider", redirectURI)
	}
	host := parsed.Hostname()
	if host == "localhost" {
		host = "127.0.0.1" // Whatever a name may lead to.
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, orZero(parsed.Port())))
	if err != nil && parsed.Port() != "" {
		return nil, fmt.Errorf("the port %s of this machine, to which the provider sends the browser back, is taken: end the program "+
			"that listens there, or use another port in spec.authorizationCode.redirectURI and at the provider: %w", parsed.Port(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the browser: %w", err)
	}
	port := portOf(listener)
	parsed.Host = net.JoinHostPort(parsed.Hostname(), port)
	c := &callback{
		uri: parsed.String(), path: parsed.EscapedPath(), port: port, state: state,
		answers: make(chan answer, 1), astray: make(chan error, 1),
	}
	c.serve(ctx, listener, parsed.Hostname() == "localhost")
	return c, nil
}

// serve answers browsers until close.
func (c *callback) serve(ctx context.Context, listener net.Listener, both bool) {
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: headerTime, MaxHeaderBytes: maxHeaders}
	serve := func(l net.Listener) {
		// It ends with the server, whatever the error says.
		_ = c.server.Serve(l)
	}
	go serve(listener)
	if !both {
		return
	}
	// A browser may take localhost for either. Without IPv6 there is nothing to lose.
	if second, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("::1", c.port)); err == nil {
		go serve(second)
	}
}

// close lets the browser have its page, and ends.
func (c *callback) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	_ = c.server.Shutdown(ctx)
	_ = c.server.Close()
}

// ServeHTTP takes the first request that is an answer, and has its browser wait for what
// comes of it. Other sites can make a browser send requests here, but neither with this
// Host nor with the state: such a request, or one of a page that is left from another
// login, must not keep the answer from being heard.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	query := r.URL.Query()
	switch {
	case !c.isOurs(r.Host):
		http.Error(w, "This is not the host of the redirect URI.", http.StatusMisdirectedRequest)
		return
	case r.URL.EscapedPath() != c.path && (c.path != "" || r.URL.Path != "/"),
		!query.Has("code") && !query.Has("error") && !query.Has("state"):
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "The answer is expected by GET.", http.StatusMethodNotAllowed)
		return
	case !c.isAnswer(query):
		c.stray(w, query)
		return
	case !c.taken.CompareAndSwap(false, true):
		http.Error(w, "This login has been answered already. Look at the terminal.", http.StatusGone)
		return
	}
	outcomes := make(chan outcome, 1)
	c.answers <- answer{query: query, outcome: outcomes}
	select {
	case o := <-outcomes:
		writePage(w, o)
	case <-r.Context().Done():
	}
}

// isAnswer tells whether a query has the state of this login, and that alone.
func (c *callback) isAnswer(query url.Values) bool {
	states := query["state"]
	return len(states) == 1 && redact.New(states[0]).Equal(c.state)
}

// stray says to a browser that its answer is none to this login.
func (c *callback) stray(w http.ResponseWriter, query url.Values) {
	_, err := oauth.ParseCallback(query, oauth.Expectation{State: c.state})
	writePage(w, outcome{err: err})
	select {
	case c.astray <- err:
	default: // The terminal has heard of one, and need not of all.
	}
}

// isOurs tells whether a Host is that of the redirect URI: a name of this machine's own.
func (c *callback) isOurs(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == c.port && oauth.IsLoopback(name)
}

func orZero(port string) string {
	if port == "" {
		return "0"
	}
	return port
}

func portOf(listener net.Listener) string {
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	return strconv.Itoa(address.Port)
}
