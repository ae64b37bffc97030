package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errUsage is for flags that make no sense; what is wrong has been said.
var errUsage = errors.New("wrong usage")

func main() {
	//nolint:forbidigo // A command has nobody to take a context from.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is one of the parties until it or the context ends, and answers the exit code.
func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) int {
	parties := map[string]func(ctx context.Context, arguments []string, stdout, stderr io.Writer) error{
		"pause":    runPause,
		"provider": runProvider,
		"consumer": runConsumer,
	}
	if len(arguments) == 0 || parties[arguments[0]] == nil {
		sayf(stderr, "usage: app pause | provider [flags] | consumer [flags]")
		return 2
	}
	err := parties[arguments[0]](ctx, arguments[1:], stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	sayf(stderr, "app %s: %v", arguments[0], err)
	return 1
}

// sayf prints a line for people.
func sayf(stderr io.Writer, format string, arguments ...any) {
	_, _ = fmt.Fprintf(stderr, format+"\n", arguments...) // There is nowhere else to say it.
}

// parse reads flags, and says what is wrong with them; check says what is wrong beyond
// that, and nothing where nothing is.
func parse(flags *flag.FlagSet, arguments []string, stderr io.Writer, check func() string) error {
	flags.SetOutput(stderr)
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage // The flags have said it.
	}
	problem := check()
	if flags.NArg() > 0 {
		problem = fmt.Sprintf("%q is no flag", flags.Arg(0))
	}
	if problem != "" {
		sayf(stderr, "app %s: %s", flags.Name(), problem)
		return errUsage
	}
	return nil
}
