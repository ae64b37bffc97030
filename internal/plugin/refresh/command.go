package refresh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

const long = `Ask for new tokens now, and wait for what comes of it.

It annotates the credentials with ` + v1alpha1.AnnotationRefreshRequestedAt + `, for which you need
the right to patch them. The old token stays in its Secret until the new one is there.

Three refreshes of a credential go through at once; after that there is one per tenth
of the life of its tokens.

The exit code is 0 when all have a new token, 3 when one has failed, or waits for you,
and 4 when the time was over before.`

const examples = `  # One credential
  kubectl tokensync refresh acme-news

  # All of this namespace that carry a label
  kubectl tokensync refresh -l team=web

  # All of all namespaces, without waiting
  kubectl tokensync refresh -A --wait=false`

// options are those of the command.
type options struct {
	environment *cli.Environment
	selection   cli.Selection
	wait        bool
	timeout     time.Duration
}

// NewCommand makes the command.
func NewCommand(environment *cli.Environment) *cobra.Command {
	o := &options{environment: environment}
	command := &cobra.Command{
		Use:               "refresh (NAME... | -l SELECTOR | --all | -A)",
		Short:             "Ask for new tokens now",
		Long:              long,
		Example:           examples,
		Aliases:           []string{"renew"},
		ValidArgsFunction: environment.CompleteNames(0),
		RunE: func(command *cobra.Command, names []string) error {
			o.selection.Names = names
			return o.run(command.Context())
		},
	}
	o.selection.AddFlags(command.Flags())
	command.Flags().BoolVar(&o.selection.All, "all", false, "Choose all credentials of the namespace.")
	command.Flags().BoolVar(&o.wait, "wait", true, "Wait for the outcome.")
	command.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "How long to wait.")
	return command
}

func (o *options) run(ctx context.Context) error {
	if err := o.selection.Validate(); err != nil {
		return err
	}
	if s := o.selection; len(s.Names) == 0 && s.Selector == "" && !s.All && !s.AllNamespaces {
		return cli.Usagef("say which credentials to refresh: name them, or give -l SELECTOR, --all or -A")
	}
	cluster, err := o.environment.Connect()
	if err != nil {
		return err
	}
	credentials, err := o.selection.Credentials(ctx, cluster)
	if err != nil {
		return err
	}
	if len(credentials) == 0 {
		return errors.New("no credentials found: see `kubectl tokensync status -A`")
	}
	w := &waiter{options: o, cluster: cluster, request: o.environment.Clock.Now().UTC().Format(time.RFC3339Nano)}
	for i := range credentials {
		if err := w.ask(ctx, &credentials[i]); err != nil {
			return err
		}
	}
	if !o.wait {
		return w.verdict()
	}
	return w.await(ctx)
}

// ask puts the annotation on a credential, unless nothing could come of it.
func (w *waiter) ask(ctx context.Context, credential *v1alpha1.OAuthCredential) error {
	if credential.Spec.Suspend {
		w.failures++
		return w.say(credential, "is suspended: set spec.suspend to false first")
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":         credential.UID, // Not for a namesake that was made in the meantime.
		"annotations": map[string]string{v1alpha1.AnnotationRefreshRequestedAt: w.request},
	}})
	if err != nil {
		return err
	}
	err = w.cluster.Client.Patch(ctx, credential, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(cli.FieldManager))
	if err != nil {
		return cli.Explain(err)
	}
	w.open = append(w.open, client.ObjectKeyFromObject(credential))
	if !w.wait {
		return w.say(credential, "will be refreshed")
	}
	return nil
}

func (o *options) say(credential *v1alpha1.OAuthCredential, format string, arguments ...any) error {
	_, err := fmt.Fprintf(o.environment.Out, "%s/%s "+format+"\n", append([]any{credential.Namespace, credential.Name}, arguments...)...)
	return err
}
