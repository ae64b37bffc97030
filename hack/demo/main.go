package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/tokensync/tokensync/test/cluster"
)

func main() {
	ctx, stop := cluster.Interruptible(context.Background())
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	length := flags.Duration("for", time.Minute, "how long to show it")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	// Libraries would write across the screen. What matters comes as errors.
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())

	out := newTerminal(os.Stdout)
	defer out.restore()
	d := &demo{out: out, length: *length, keep: os.Getenv("DEMO_KEEP") == "1"}
	err := errors.Join(d.run(ctx), d.stop())
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // Ctrl-C, while it was starting
	}
	return err
}
