package cli

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/pflag"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/oauth"
)

// Network says whom commands may talk to that ask a provider. Its flags are called as
// those of the operator.
type Network struct {
	AllowInsecureHTTP bool
	UseProxy          bool
	Allow             []string
}

// AddFlags adds the flags.
func (n *Network) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&n.AllowInsecureHTTP, "allow-insecure-http", false,
		"Let URLs of the provider begin with http://, which shows secrets to the network.")
	flags.BoolVar(&n.UseProxy, "egress-use-proxy", false, "Honor HTTPS_PROXY and NO_PROXY.")
	flags.StringSliceVar(&n.Allow, "egress-allow-cidr", nil,
		"Networks to reach although tokensync refuses them by default, such as 127.0.0.0/8 for this machine.")
}

// ExplainNetwork says which flag of the command lets it ask a provider that it refuses to
// ask: the error itself speaks of the operator's.
func ExplainNetwork(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok || e.Kind != oauth.KindEgressDenied {
		return err
	}
	flag := "--allow-insecure-http"
	if _, ok := errors.AsType[*egress.DeniedError](err); ok {
		flag = "--egress-allow-cidr with the network of that host, such as 127.0.0.0/8"
	}
	return fmt.Errorf("%w That holds for the operator. For it to be done from here, give this command %s", err, flag)
}

// Client makes a client of token endpoints.
func (n *Network) Client(environment *Environment) (*oauth.Client, error) {
	var allow []netip.Prefix
	for _, text := range n.Allow {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, Usagef("--egress-allow-cidr=%s: must be a network such as 127.0.0.0/8", text)
		}
		allow = append(allow, prefix)
	}
	return oauth.NewClient(oauth.Options{
		Egress:            egress.NewPolicy(egress.Options{Allow: allow}),
		AllowInsecureHTTP: n.AllowInsecureHTTP,
		UseProxy:          n.UseProxy,
		UserAgent:         FieldManager + "/" + environment.Version,
		Now:               environment.Clock.Now,
		Random:            environment.Random,
	}), nil
}
