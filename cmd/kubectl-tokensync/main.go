// Command kubectl-tokensync is the kubectl plugin `kubectl tokensync`.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tokensync/tokensync/internal/picture"
	"github.com/tokensync/tokensync/internal/plugin"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second interrupt ends the process at once.
	context.AfterFunc(ctx, stop)
	logf.SetLogger(logr.Discard())
	os.Exit(plugin.Execute(ctx, environment(), os.Args)) //nolint:gocritic // Nothing is deferred.
}

func environment() *cli.Environment {
	return &cli.Environment{
		IOStreams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Config:    genericclioptions.NewConfigFlags(true),
		Clock:     clock.RealClock{},
		Random:    rand.Reader,
		Terminal:  terminal(),
		Open:      open,
		Version:   version,
	}
}

// terminal looks at the streams of the process.
func terminal() cli.Terminal {
	out := term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb"
	return cli.Terminal{
		Out:   out,
		In:    term.IsTerminal(int(os.Stdin.Fd())),
		Color: out && os.Getenv("NO_COLOR") == "",
		Size:  func() (columns, rows int) { return picture.Size(os.Stdout) },
	}
}
