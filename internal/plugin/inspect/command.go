package inspect

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/secretstore"
)

const long = `Show what is in the Secret of a credential: its keys, when the token was issued and
expires, and, where it is a JWT, who issued it, for whom, and with which scopes.

The token itself is not shown, and nothing of a JWT is verified. It takes the right to
read the Secret.`

const examples = `  # What is in the Secret
  kubectl tokensync inspect acme-news

  # The audience of a JWT, for a script
  kubectl tokensync inspect acme-news -o json | jq '.keys[].jwt.claims.aud // empty'

  # With the token, for those who must
  kubectl tokensync inspect acme-news --show-token`

// options are those of the command.
type options struct {
	environment *cli.Environment
	output      cli.Output
	showToken   bool
}

// NewCommand makes the command.
func NewCommand(environment *cli.Environment) *cobra.Command {
	o := &options{environment: environment}
	command := &cobra.Command{
		Use:               "inspect NAME",
		Short:             "Show what is in a Secret, without the token",
		Long:              long,
		Example:           examples,
		Args:              cli.OneName,
		ValidArgsFunction: environment.CompleteNames(1),
		RunE: func(command *cobra.Command, names []string) error {
			return o.run(command.Context(), names[0])
		},
	}
	o.output.AddFlag(command)
	command.Flags().BoolVar(&o.showToken, "show-token", false, "Show the values of the Secret, the token among them.")
	return command
}

func (o *options) run(ctx context.Context, name string) error {
	if err := o.output.Validate(); err != nil {
		return err
	}
	cluster, err := o.environment.Connect()
	if err != nil {
		return err
	}
	credential, err := cluster.Credential(ctx, name)
	if err != nil {
		return err
	}
	secret, err := read(ctx, cluster, credential)
	if err != nil {
		return err
	}
	report := describe(credential, secret, o.showToken)
	if o.output != "" {
		return o.output.Print(o.environment.Out, report)
	}
	return report.write(o.environment.Out, o.environment.Clock.Now())
}

// read reads the Secret that the credential's status names, or else its spec.
func read(ctx context.Context, cluster *cli.Cluster, credential *v1alpha1.OAuthCredential) (*corev1.Secret, error) {
	name := credential.Status.SecretName
	if name == "" {
		name = secretstore.TargetName(credential)
	}
	secret := &corev1.Secret{}
	err := cluster.Client.Get(ctx, types.NamespacedName{Namespace: credential.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, cli.NotReadyf("the Secret %q of the credential does not exist yet: see `kubectl tokensync status %s -n %s`",
			name, credential.Name, credential.Namespace)
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("you may not read the Secret %q: what is known without it shows `kubectl tokensync status %s -n %s`: %w",
			name, credential.Name, credential.Namespace, err)
	}
	return secret, cli.Explain(err)
}
