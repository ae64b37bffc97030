package status

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

const long = `Show what each credential is up to, in one line: whether its token is good, how much
of the token's life is left, and what happens next, and when. Where something is
wrong, the next line says what, and what to do.

The bar is the life of the token: what is heavy is left, and the cross is where the
next token is asked for.

The exit code is 0 while all that is shown is ready, and 3 otherwise.`

const examples = `  # The credentials of this namespace
  kubectl tokensync status

  # One of them, watched
  kubectl tokensync status acme-news -w

  # All that are not ready, for a script
  kubectl tokensync status -A -o json | jq '.[] | select(.ready | not)'`

// options are those of the command.
type options struct {
	environment *cli.Environment
	selection   cli.Selection
	output      cli.Output
	watch       bool
}

// NewCommand makes the command.
func NewCommand(environment *cli.Environment) *cobra.Command {
	o := &options{environment: environment}
	command := &cobra.Command{
		Use:               "status [NAME...]",
		Short:             "Show what credentials are up to",
		Long:              long,
		Example:           examples,
		Aliases:           []string{"list", "ls"},
		ValidArgsFunction: environment.CompleteNames(0),
		RunE: func(command *cobra.Command, names []string) error {
			o.selection.Names = names
			return o.run(command.Context())
		},
	}
	o.selection.AddFlags(command.Flags())
	o.output.AddFlag(command)
	command.Flags().BoolVarP(&o.watch, "watch", "w", false, "Keep watching, until you interrupt it.")
	return command
}

func (o *options) run(ctx context.Context) error {
	if err := o.selection.Validate(); err != nil {
		return err
	}
	if err := o.output.Validate(); err != nil {
		return err
	}
	if o.watch && o.output != "" {
		return cli.Usagef("--watch is for people: leave out --output, or watch with kubectl get oauthcredentials -w -o json")
	}
	cluster, err := o.environment.Connect()
	if err != nil {
		return err
	}
	if o.watch {
		return o.follow(ctx, cluster)
	}
	credentials, err := o.selection.Credentials(ctx, cluster)
	if err != nil {
		return err
	}
	reports := describe(credentials, o.environment.Clock.Now())
	if o.output != "" {
		err = o.output.Print(o.environment.Out, reports)
	} else {
		err = o.print(cluster, reports)
	}
	if err != nil {
		return err
	}
	for i := range reports {
		if !reports[i].Ready {
			return cli.Silent(cli.ExitNotReady)
		}
	}
	return nil
}

// describe reads credentials at an instant. It never answers nil, which JSON would have
// as null.
func describe(credentials []v1alpha1.OAuthCredential, now time.Time) []Report {
	reports := make([]Report, 0, len(credentials))
	for i := range credentials {
		reports = append(reports, Describe(&credentials[i], now))
	}
	return reports
}

// print draws the table; where there is nothing to show, it says so beside the output,
// as kubectl does.
func (o *options) print(cluster *cli.Cluster, reports []Report) error {
	if len(reports) == 0 {
		_, err := fmt.Fprintln(o.environment.ErrOut, o.nothing(cluster))
		return err
	}
	lines := o.table(o.environment.Clock.Now()).lines(reports)
	_, err := fmt.Fprintln(o.environment.Out, strings.Join(lines, "\n"))
	return err
}

func (o *options) nothing(cluster *cli.Cluster) string {
	if o.selection.AllNamespaces {
		return "No credentials found."
	}
	return fmt.Sprintf("No credentials found in the namespace %q.", cluster.Namespace)
}

func (o *options) table(now time.Time) table {
	return table{terminal: o.environment.Terminal, namespaces: o.selection.AllNamespaces, now: now}
}
