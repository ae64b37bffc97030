package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokensync/tokensync/internal/plugin/check"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/inspect"
	"github.com/tokensync/tokensync/internal/plugin/login"
	"github.com/tokensync/tokensync/internal/plugin/refresh"
	"github.com/tokensync/tokensync/internal/plugin/status"
)

const long = `Look after OAuth tokens in Kubernetes: log in where a person has to, see how long each
token lives, ask for a new one, and try a manifest before it is applied.

Exit codes: 0 all is well; 1 an error; 2 the command line cannot be used; 3 a
credential is not ready, or what was asked for has failed; 4 the time was over;
130 interrupted.`

// completionName is the name under which kubectl looks for the completion of this plugin.
const completionName = "kubectl_complete-tokensync"

// NewCommand makes the plugin's command with all below it.
func NewCommand(environment *cli.Environment) *cobra.Command {
	const slip = 2 // letters that differ from those of a command which may be meant
	root := &cobra.Command{
		Use:           "kubectl-tokensync",
		Short:         "Look after OAuth tokens in Kubernetes",
		Long:          long,
		Version:       environment.Version,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl tokensync"},
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: slip,
		Args:                       cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, arguments []string) error {
			if len(arguments) == 0 {
				return command.Help()
			}
			return unknown(command, arguments[0])
		},
	}
	root.SetIn(environment.In)
	root.SetOut(environment.Out)
	root.SetErr(environment.ErrOut)
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return cli.Usagef("%w: see %s --help", err, command.CommandPath())
	})
	environment.Config.AddFlags(root.PersistentFlags())
	root.SetUsageTemplate(usage(root.UsageTemplate()))
	// They fail for unknown flags only.
	_ = root.RegisterFlagCompletionFunc("namespace", environment.CompleteNamespaces)
	_ = root.RegisterFlagCompletionFunc("context", environment.CompleteContexts)
	root.AddCommand(
		status.NewCommand(environment), refresh.NewCommand(environment), inspect.NewCommand(environment),
		check.NewCommand(environment), login.NewCommand(environment),
	)
	return root
}

// usage leaves kubectl's own flags out of the help of each command, as kubectl does.
func usage(template string) string {
	const from, to = "{{if .HasAvailableInheritedFlags}}", "{{end}}"
	before, rest, found := strings.Cut(template, from)
	_, after, ended := strings.Cut(rest, to)
	if !found || !ended {
		return template
	}
	return before + from + "\n\nUse \"kubectl options\" for the flags of kubectl, such as -n and --context.{{end}}" + after
}

// unknown tells of a command that does not exist, and of one that may be meant.
func unknown(command *cobra.Command, name string) error {
	if similar := command.SuggestionsFor(name); len(similar) > 0 {
		return cli.Usagef("there is no command %q: did you mean %s?", name, strings.Join(similar, " or "))
	}
	return cli.Usagef("there is no command %q: see %s --help", name, command.CommandPath())
}

// Execute runs the plugin with the arguments of its process, the name it was called by
// the first of them, and answers its exit code.
func Execute(ctx context.Context, environment *cli.Environment, arguments []string) int {
	root := NewCommand(environment) //nolint:contextcheck // Its functions get the context of the command that runs.
	root.SetArgs(complete(arguments))
	err := root.ExecuteContext(ctx)
	code := cli.ExitCode(err)
	if code == cli.ExitInterrupted || errors.Is(ctx.Err(), context.Canceled) && err != nil {
		return cli.ExitInterrupted
	}
	if err != nil && err.Error() != "" {
		fmt.Fprintln(environment.ErrOut, "error:", cli.Printable(err.Error())) //nolint:errcheck // Nobody is left to tell.
	}
	return code
}

// complete makes a call for completion of one by kubectl, which has a name for that.
func complete(arguments []string) []string {
	if len(arguments) == 0 {
		return nil
	}
	name := arguments[0][strings.LastIndexAny(arguments[0], `/\`)+1:]
	if strings.TrimSuffix(name, ".exe") == completionName {
		return append([]string{cobra.ShellCompRequestCmd}, arguments[1:]...)
	}
	return arguments[1:]
}
