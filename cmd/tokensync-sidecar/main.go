// Command tokensync-sidecar brings the token to a pod: into files, to loopback, and into
// requests.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tokensync/tokensync/internal/sidecar/health"
	"github.com/tokensync/tokensync/internal/sidecar/settings"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := execute(ctx, os.Args[1:], os.Environ()); err != nil {
		fmt.Fprintln(os.Stderr, "tokensync-sidecar:", err)
		os.Exit(1) //nolint:gocritic // There is nothing to clean up behind signals.
	}
}

func execute(ctx context.Context, arguments, environment []string) error {
	s, err := settings.Parse(arguments, environment)
	switch {
	case errors.Is(err, settings.ErrHelp):
		fmt.Print(settings.Usage())
		return nil
	case err != nil:
		return err
	case s.Life.Version:
		fmt.Println(version)
		return nil
	case s.Life.Probe:
		return health.Probe(ctx, s.Life.HealthAddress)
	}
	return run(ctx, s)
}
