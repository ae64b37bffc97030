package login

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/consent"
)

const long = `Log in for a credential whose grant a person begins: authorization_code, device_code,
or refresh_token, to replace one that is lost.

A browser opens at the provider, and comes back to an address of this machine, where
the code is exchanged at once (authorization code grant with PKCE). What comes of it
is stored in the Secret NAME-grant, by your own rights, from where the operator
carries on; then the command waits until the credential is ready.

Before the client's secret is sent to the provider, you are asked. Where you may not
read that secret, or the provider holds it for its credentials, it is not needed: the
code is stored instead, and the operator exchanges it.

The provider must know the redirect URI. It is http://127.0.0.1/callback with any free
port, unless spec.authorizationCode.redirectURI says otherwise.

The exit code is 3 when the provider has refused, or when nothing could come of a login,
and 4 when the time was over.`

const examples = `  # In a browser
  kubectl tokensync login files

  # On a machine without one: a code to enter on another device
  kubectl tokensync login files --device

  # By a URL that you open yourself
  kubectl tokensync login files --no-browser`

// options are those of the command.
type options struct {
	environment *cli.Environment
	network     cli.Network
	consent     consent.Flags
	operator    string
	wait        bool
	timeout     time.Duration
}

// NewCommand makes the command.
func NewCommand(environment *cli.Environment) *cobra.Command {
	o := &options{environment: environment}
	command := &cobra.Command{
		Use:               "login NAME",
		Short:             "Give the consent that a grant needs",
		Long:              long,
		Example:           examples,
		Args:              cli.OneName,
		ValidArgsFunction: environment.CompleteNames(1),
		RunE: func(command *cobra.Command, names []string) error {
			return o.run(command.Context(), names[0])
		},
	}
	flags := command.Flags()
	o.consent.AddFlags(flags)
	o.network.AddFlags(flags)
	flags.BoolVar(&o.wait, "wait", true, "Wait until the operator has taken up the login.")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "How long to wait for the operator.")
	flags.StringVar(&o.operator, "operator-namespace", "tokensync-system",
		"Namespace of the operator, where what a ClusterOAuthProvider names is.")
	return command
}

func (o *options) run(ctx context.Context, name string) error {
	cluster, err := o.environment.Connect()
	if err != nil {
		return err
	}
	credential, err := cluster.Credential(ctx, name)
	if err != nil {
		return err
	}
	if !slices.Contains(grants, credential.Spec.GrantType) {
		return cli.Usagef("no login is needed: the grant type of %q is %s, which the operator carries out by itself",
			name, credential.Spec.GrantType)
	}
	if credential.Spec.Suspend {
		return cli.NotReadyf("%s/%s is suspended: set spec.suspend to false first", credential.Namespace, credential.Name)
	}
	s, err := newSession(o, cluster, credential)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return cli.ExplainNetwork(err)
	}
	left, err := s.logIn(ctx)
	if err != nil {
		return s.refused(err)
	}
	if !o.wait {
		s.environment.Tellf("The login is stored. The operator takes it up: see `kubectl tokensync status %s -n %s`.", name, credential.Namespace)
		return nil
	}
	return s.await(ctx, left)
}

// grants are the grant types that a login begins.
var grants = []v1alpha1.GrantType{v1alpha1.GrantAuthorizationCode, v1alpha1.GrantRefreshToken, v1alpha1.GrantDeviceCode}
