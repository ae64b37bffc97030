package main

import (
	"net"
	"testing"
)

// TestHealthIsServedUntilItIsStopped, whatever has become of the manager.
func TestHealthIsServedUntilItIsStopped(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	stop, err := serveHealth(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if err := probe(t.Context(), "http://"+address+path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := probe(t.Context(), "http://"+address+"/metrics"); err == nil {
		t.Error("more is served than the health")
	}
	if _, err := serveHealth(t.Context(), address); err == nil {
		t.Error("an address that is taken is no error")
	}
	stop()
	if err := probe(t.Context(), "http://"+address+"/healthz"); err == nil {
		t.Error("it is served after the end")
	}
}

func TestHealthCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	stop, err := serveHealth(t.Context(), "0")
	if err != nil {
		t.Fatal(err)
	}
	stop()
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
