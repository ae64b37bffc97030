package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// grace is how long requests may go on once the process is to end.
const grace = 5 * time.Second

// Serve serves until the context ends. Requests under way then have five seconds;
// afterwards, and with the connections that they took over, they are cut. It refuses a
// listener that others than this pod reach, and by TCP each request that does not name
// a loopback address as its host. It takes the server's handler and base context for
// itself, closes the listener, and returns when no handler runs any more.
func Serve(ctx context.Context, listener net.Listener, server *http.Server) error {
	handler := server.Handler
	switch address := listener.Addr().(type) {
	case *net.UnixAddr:
	case *net.TCPAddr:
		if !address.IP.IsLoopback() {
			return errors.Join(fmt.Errorf("%s is not a loopback address", address), listener.Close())
		}
		handler = guard(handler)
	default:
		return errors.Join(fmt.Errorf("%s is neither TCP nor a Unix socket", address), listener.Close())
	}
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	running := &handlers{next: handler}
	server.Handler = running
	server.BaseContext = func(net.Listener) context.Context { return base }
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		patience, done := context.WithTimeout(base, grace)
		defer done()
		// What is left when the time is over is cut below.
		_ = server.Shutdown(patience)
		if err = <-ended; errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
	}
	cut()
	_ = server.Close()
	running.wait()
	return err
}

// handlers counts the handlers that run. The server itself loses sight of those that
// took their connection over, as a WebSocket's does.
type handlers struct {
	next http.Handler

	mu     sync.Mutex
	closed bool
	count  sync.WaitGroup
}

// ServeHTTP serves a request, unless all is over.
func (h *handlers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enter() {
		return
	}
	defer h.count.Done()
	h.next.ServeHTTP(w, r)
}

func (h *handlers) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.count.Add(1)
	}
	return !h.closed
}

// wait lets nobody in any more, and waits for those within.
func (h *handlers) wait() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.count.Wait()
}
