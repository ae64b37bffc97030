package check

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/consent"
	"github.com/tokensync/tokensync/internal/plugin/source"
	"github.com/tokensync/tokensync/internal/redact"
)

const long = `Make the token request of a manifest from here, and show each step: what is sent, the
connection, the answer, and what tokensync would put into the Secret. Nothing is
written anywhere.

Secrets are not shown: what is known to be one, and what may be one, is redacted. What
a provider says of its own accord may still tell who you are; look before you share it.

The file holds the credential, and whatever it needs: its provider, Secrets and
ConfigMaps. By default nothing else is looked at, and no cluster is needed. With
--with-cluster, what the file does not hold is read from the cluster that kubectl is
pointed at, by your own rights, and before a secret of the cluster is sent to the
provider you are asked. With --with-cluster alone, NAME is a credential of the cluster.

A grant that a person begins is begun here, too: a browser opens, and the code is
exchanged as with login; the tokens are then thrown away. A refresh token is never
sent, because that may spend it.

The exit code is 3 when no token came, unless none was asked for: a credential with a
refresh token is marked by a dash, and is no failure.`

const examples = `  # A new provider, with its Secret in the same file, and no cluster
  kubectl tokensync check -f credential.yaml

  # The same by a pipe, with the Secrets of the cluster
  kustomize build . | kubectl tokensync check -f - --with-cluster

  # What does the operator see? The credential of the cluster, asked from here
  kubectl tokensync check acme-news --with-cluster

  # A provider on this machine
  kubectl tokensync check -f credential.yaml --egress-allow-cidr 127.0.0.0/8 --allow-insecure-http`

// options are those of the command.
type options struct {
	environment *cli.Environment
	network     cli.Network
	consent     consent.Flags
	filename    string
	name        string
	withCluster bool
	operator    string
}

// NewCommand makes the command.
func NewCommand(environment *cli.Environment) *cobra.Command {
	o := &options{environment: environment}
	command := &cobra.Command{
		Use:               "check (-f FILE | --with-cluster) [NAME]",
		Short:             "Carry out a manifest from here, and show each step",
		Long:              long,
		Example:           examples,
		Aliases:           []string{"try"},
		Args:              cli.AtMostOneName,
		ValidArgsFunction: environment.CompleteNames(1),
		RunE: func(command *cobra.Command, names []string) error {
			if len(names) > 0 {
				o.name = names[0]
			}
			return o.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVarP(&o.filename, "filename", "f", "", "File with the manifest; - reads standard input.")
	flags.BoolVar(&o.withCluster, "with-cluster", false, "Read what the file does not hold from the cluster.")
	flags.StringVar(&o.operator, "operator-namespace", "tokensync-system",
		"Namespace of the operator, where the Secrets of a ClusterOAuthProvider are.")
	o.network.AddFlags(flags)
	o.consent.AddFlags(flags)
	return command
}

func (o *options) run(ctx context.Context) error {
	if o.filename == "" && (!o.withCluster || o.name == "") {
		return cli.Usagef("give a manifest with -f FILE, or --with-cluster and the NAME of a credential")
	}
	found, err := o.gather()
	if err != nil {
		return err
	}
	credentials, err := o.choose(ctx, found)
	if err != nil {
		return err
	}
	c, err := newChecker(o, found)
	if err != nil {
		return err
	}
	failures := 0
	for i := range credentials {
		err := c.check(ctx, &credentials[i])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isDecided(err):
			return err
		case err != nil:
			failures++
			c.printer.verdict(fails, cli.Printable(explain(err).Error()+c.hint(err)))
		}
		if c.printer.err != nil {
			return c.printer.err
		}
	}
	if failures > 0 {
		return cli.Silent(cli.ExitNotReady)
	}
	return nil
}

// isDecided tells an error that has an exit code of its own: it is not the provider's.
func isDecided(err error) bool {
	var decided *cli.CodeError
	return errors.As(err, &decided)
}

// gather reads the manifest, and connects to the cluster where that is wanted.
func (o *options) gather() (*source.Objects, error) {
	found := &source.Objects{Manifest: &manifest.Manifest{}, Operator: o.operator, Namespace: "default"}
	if namespace, err := o.environment.Namespace(); err == nil {
		found.Namespace = namespace // Without a kubeconfig there is none, and none is needed.
	}
	if o.filename != "" {
		var err error
		if found.Manifest, err = o.read(); err != nil {
			return nil, fmt.Errorf("%s: %w", o.filename, err)
		}
	}
	for _, kind := range found.Manifest.Others {
		o.environment.Tellf("An object of the kind %s is not looked at.", redact.Message(kind))
	}
	if o.withCluster {
		var err error
		if found.Cluster, err = o.environment.Connect(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (o *options) read() (*manifest.Manifest, error) {
	if o.filename == "-" {
		return manifest.Read(o.environment.In)
	}
	file, err := os.Open(o.filename)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return manifest.Read(file)
}

// choose finds the credentials to check: the named one, or all of the manifest.
func (o *options) choose(ctx context.Context, found *source.Objects) ([]v1alpha1.OAuthCredential, error) {
	chosen := found.Credentials(o.name)
	switch {
	case len(chosen) > 0:
		return chosen, nil
	case o.name != "" && found.Cluster != nil:
		credential, err := found.Cluster.Credential(ctx, o.name)
		if err != nil {
			return nil, err
		}
		return []v1alpha1.OAuthCredential{*credential}, nil
	case o.name != "":
		return nil, fmt.Errorf("%s holds no OAuthCredential %q", o.filename, o.name)
	}
	return nil, fmt.Errorf("%s holds no OAuthCredential: a provider alone asks for no token", o.filename)
}
