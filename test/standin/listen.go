package standin

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const headerTimeout = 10 * time.Second

// Listen serves on a free port of 127.0.0.1. stop closes the port and every
// connection, also those that hang; whoever listens again does it with ListenAt.
func (s *Server) Listen() (baseURL string, stop func(), err error) {
	return s.ListenAt("127.0.0.1:0")
}

// ListenAt is Listen at a given IP address and port, so that a provider can go away and come
// back at the place where it was.
func (s *Server) ListenAt(address string) (baseURL string, stop func(), err error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return "", nil, fmt.Errorf("listen at %s: %w", address, err)
	}
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return "", nil, fmt.Errorf("listen at %s: %w", address, err)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with ErrServerClosed, by stop
	}()
	stop = func() {
		_ = server.Close() // the listener is gone either way
		<-done
	}
	return "http://" + listener.Addr().String(), stop, nil
}
