package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
)

// Environment is the process that the plugin runs in.
type Environment struct {
	genericiooptions.IOStreams

	// Config are kubectl's flags.
	Config *genericclioptions.ConfigFlags
	// Clock is the clock.
	Clock clock.WithTicker
	// Random is where what nobody may guess comes from, such as rand.Reader of
	// crypto/rand.
	Random io.Reader
	// Terminal is where Out and In lead.
	Terminal Terminal
	// Open opens a URL in the person's browser.
	Open func(ctx context.Context, url string) error
	// Version is that of the plugin.
	Version string
}

// Terminal says what is known of a terminal. The zero value is none.
type Terminal struct {
	// Out says that the output is one that can be drawn on, and In that a person can be
	// asked.
	Out, In bool
	// Color says that the output may be colored.
	Color bool
	// Size is how many columns and rows the output has now; nil where Out is false.
	Size func() (columns, rows int)
}

// Columns are those of the output; 0 where lines may be of any length.
func (t Terminal) Columns() int {
	if !t.Out || t.Size == nil {
		return 0
	}
	columns, _ := t.Size()
	return columns
}

// Tellf writes a line for the person. What is printed for programs does not go there.
func (e *Environment) Tellf(format string, arguments ...any) {
	fmt.Fprintf(e.ErrOut, format+"\n", arguments...) //nolint:errcheck // A terminal that is gone sends a signal.
}

// Wait waits, but not beyond the end of the context, which is its error.
func (e *Environment) Wait(ctx context.Context, d time.Duration) error {
	timer := e.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
