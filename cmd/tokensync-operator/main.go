// Command tokensync-operator keeps the Secrets of OAuthCredentials fresh.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := execute(ctrl.SetupSignalHandler(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tokensync-operator:", err)
		os.Exit(1)
	}
}

func execute(ctx context.Context, arguments []string) error {
	options := newOptions()
	flags := pflag.NewFlagSet("tokensync-operator", pflag.ContinueOnError)
	options.addFlags(flags)
	if err := flags.Parse(arguments); errors.Is(err, pflag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: all settings are flags, see --help", flags.Arg(0))
	}
	switch {
	case options.version:
		fmt.Println(version)
		return nil
	case options.probe != "":
		return probe(ctx, options.probe)
	}
	if err := options.complete(os.Getenv); err != nil {
		return err
	}
	return run(ctx, options)
}
