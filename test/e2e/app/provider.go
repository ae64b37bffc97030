package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokensync/tokensync/test/standin"
)

// plainPrefix leads to plain OAuth.
const plainPrefix = "/plain"

// providerOptions are the flags of a provider.
type providerOptions struct {
	listen, cert, key          string
	lifetime                   time.Duration
	clientID, clientSecretFile string
	tenant                     string
	control                    string
	verifier                   verifier
}

func (o *providerOptions) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("provider", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", ":8443", "where to serve over HTTPS")
	flags.StringVar(&o.cert, "cert", "", "certificate, in PEM")
	flags.StringVar(&o.key, "key", "", "its key, in PEM")
	flags.DurationVar(&o.lifetime, "lifetime", 20*time.Second, "of the tokens")
	flags.StringVar(&o.clientID, "client-id", "", "the client that may come with a secret")
	flags.StringVar(&o.clientSecretFile, "client-secret-file", "", "its secret")
	flags.StringVar(&o.tenant, "tenant", "", "the one that Syncronex knows")
	flags.StringVar(&o.verifier.subject, "subject", "", "whose tokens are good as client assertions")
	flags.StringVar(&o.verifier.audience, "audience", "", "which they must be for")
	flags.StringVar(&o.control, "control", ":8080", "where the control port is")
	flags.StringVar(&o.verifier.server, "api-server", apiServer(), "URL of the API server")
	flags.StringVar(&o.verifier.account, "service-account", "/var/run/secrets/kubernetes.io/serviceaccount", "directory of the provider's own token")
	return flags
}

// problem says what is wrong with the flags.
func (o *providerOptions) problem() string {
	switch {
	case o.cert == "" || o.key == "":
		return "--cert and --key are needed"
	case o.lifetime < time.Second:
		return "--lifetime must be a second at least"
	case (o.clientID == "") != (o.clientSecretFile == ""):
		return "--client-id and --client-secret-file go together"
	case (o.verifier.subject == "") != (o.verifier.audience == ""):
		return "--subject and --audience go together"
	case o.verifier.subject != "" && o.verifier.server == "":
		return "this is no pod: --subject needs --api-server"
	}
	return ""
}

// provider is two authorization servers, and the service that takes the tokens of both.
type provider struct {
	syncronex, plain *standin.Server
}

func newProvider(ctx context.Context, o providerOptions) (*provider, error) {
	key, err := os.ReadFile(o.key)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	options := standin.Options{Lifetime: o.lifetime, Key: key, Clients: map[string]string{}}
	if o.tenant != "" {
		options.Tenants = []string{o.tenant}
	}
	if o.clientID != "" {
		secret, err := os.ReadFile(o.clientSecretFile)
		if err != nil {
			return nil, fmt.Errorf("read the client's secret: %w", err)
		}
		options.Clients[o.clientID] = string(bytes.TrimRight(secret, "\r\n"))
	}
	p := &provider{syncronex: standin.NewSyncronex(options)}
	if o.verifier.subject != "" {
		if err := o.verifier.connect(); err != nil {
			return nil, err
		}
		options.Assertion = func(assertion string) (clientID, problem string) {
			return o.verifier.subject, o.verifier.verify(ctx, assertion)
		}
	}
	p.plain = standin.NewOAuth(options)
	return p, nil
}

// ServeHTTP is what the provider serves over HTTPS.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == plainPrefix+standin.TokenPath {
		http.StripPrefix(plainPrefix, p.plain).ServeHTTP(w, r)
		return
	}
	p.syncronex.ServeHTTP(w, r)
}

func runProvider(ctx context.Context, arguments []string, _, stderr io.Writer) error {
	var o providerOptions
	if err := parse(o.flags(), arguments, stderr, o.problem); err != nil {
		return err
	}
	p, err := newProvider(ctx, o)
	if err != nil {
		return err
	}
	certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return fmt.Errorf("load the certificate: %w", err)
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", o.control)
	if err != nil {
		return err
	}
	sayf(stderr, "app provider: serves at %s, control at %s", listener.Addr(), control.Addr())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		secure := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		return serve(ctx, listener, &http.Server{Handler: p, TLSConfig: secure})
	})
	group.Go(func() error { return serve(ctx, control, &http.Server{Handler: p.control()}) })
	return group.Wait()
}
