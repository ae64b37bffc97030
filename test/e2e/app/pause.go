package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// runPause waits for the end. As the first process of a pod it is the parent of each one
// that lost its own, and nobody else can reap those.
func runPause(ctx context.Context, _ []string, _, _ io.Writer) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	for {
		// Several that end at a time are one signal, and some may have ended before.
		reap()
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
		}
	}
}

// reap collects all children that have ended.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}
