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
	running := &handlers{next: handler, connections: map[net.Conn]struct{}{}}
	server.Handler = running
	server.BaseContext = func(net.Listener) context.Context { return base }
	server.ConnContext = func(ctx context.Context, connection net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, connection)
	}
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
	running.end()
	return err
}

// connectionKey is the key of a request's connection in its context.
type connectionKey struct{}

// handlers counts the handlers that run. The server itself loses sight of those that
// took their connection over, as a WebSocket's does.
type handlers struct {
	next http.Handler

	mu     sync.Mutex
	closed bool
	count  sync.WaitGroup
	// connections are those of HTTP/1.1, where alone they can be taken over.
	connections map[net.Conn]struct{}
}

// ServeHTTP serves a request, unless all is over.
func (h *handlers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var connection net.Conn
	if r.ProtoMajor == 1 {
		connection, _ = r.Context().Value(connectionKey{}).(net.Conn)
	}
	if !h.enter(connection) {
		return
	}
	defer h.leave(connection)
	h.next.ServeHTTP(w, r)
}

func (h *handlers) enter(connection net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.count.Add(1)
	if connection != nil {
		h.connections[connection] = struct{}{}
	}
	return true
}

func (h *handlers) leave(connection net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.connections, connection)
	h.count.Done()
}

// end lets nobody in any more, and cuts those within off. That their context is over is
// not enough: whoever copies from a client hears of it only when that says something.
func (h *handlers) end() {
	h.mu.Lock()
	h.closed = true
	for connection := range h.connections {
		// An error means that it is closed.
		_ = connection.Close()
	}
	h.mu.Unlock()
	h.count.Wait()
}
