package cluster

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// parentInterval is how often it is looked whether the parent is still there.
const parentInterval = 200 * time.Millisecond

// Interruptible is a context for a program that is run by `go run`: it ends with
// Ctrl-C, with SIGTERM, and with the parent, because `go run` hands no SIGTERM on.
// A second signal ends the process at once.
func Interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	starter := os.Getppid()
	go func() {
		ticker := time.NewTicker(parentInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if os.Getppid() != starter {
					stop()
					return
				}
			}
		}
	}()
	return ctx, stop
}
