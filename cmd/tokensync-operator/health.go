package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// serveHealth serves /healthz and /readyz until it is stopped. The manager's own server
// ends with its leadership, when there may be answers yet that have to be kept: a
// kubelet that finds nobody alive then would kill the process in the middle of it.
func serveHealth(ctx context.Context, address string) (stop func(), err error) {
	if address == "0" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	ping := &healthz.CheckHandler{Checker: healthz.Ping}
	mux.Handle("/healthz", ping)
	mux.Handle("/readyz", ping)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = server.Serve(listener) }() // It ends when it is closed.
	return func() { _ = server.Close() }, nil
}
