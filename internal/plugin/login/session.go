package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/consent"
	"github.com/tokensync/tokensync/internal/plugin/source"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// session is one login.
type session struct {
	*options

	cluster    *cli.Cluster
	credential *v1alpha1.OAuthCredential
	objects    *source.Objects
	tokens     *oauth.Client
	resolver   resolve.Resolver
	plan       *resolve.Plan
	// authorization is nil where a code is entered elsewhere.
	authorization *resolve.Authorization
	// delegated says that the operator exchanges the code.
	delegated bool
	device    bool
	// failure is what had failed before the login was left, nil where nothing had.
	failure *v1alpha1.LastFailure
}

func newSession(o *options, cluster *cli.Cluster, credential *v1alpha1.OAuthCredential) (*session, error) {
	tokens, err := o.network.Client(o.environment)
	if err != nil {
		return nil, err
	}
	objects := &source.Objects{Manifest: &manifest.Manifest{}, Namespace: cluster.Namespace, Operator: o.operator, Cluster: cluster}
	return &session{
		options: o, cluster: cluster, credential: credential, objects: objects, tokens: tokens,
		resolver: objects.Resolver(tokens, o.environment.Clock.Now),
		device:   o.consent.Device || credential.Spec.GrantType == v1alpha1.GrantDeviceCode,
	}, nil
}

// prepare finds out all that can be found out before the person is sent anywhere, says
// it, and asks where a secret is to be sent.
func (s *session) prepare(ctx context.Context) error {
	provider, err := s.objects.Provider(ctx, s.credential)
	if err != nil {
		return err
	}
	if s.plan, err = resolve.Join(s.credential, provider); err != nil {
		return err
	}
	request, err := s.rehearse(ctx)
	if err != nil {
		return err
	}
	if !s.device {
		if s.authorization, err = s.resolver.Authorization(ctx, s.plan); err != nil {
			return s.nowhere(err)
		}
		request.TokenURL = s.authorization.TokenURL
	}
	if err := s.rehearseStore(ctx); err != nil {
		return err
	}
	s.show(request.TokenURL)
	if s.delegated || s.consent.Yes || !sendsSecret(request) {
		return nil
	}
	return s.environment.Confirm(ctx, fmt.Sprintf("Send the client's secret to %s?", consent.Authority(request.TokenURL)))
}

// rehearse makes a request as the exchange will. It reads all that this takes, so that no
// code waits for it, and finds out whether the person may read it.
func (s *session) rehearse(ctx context.Context) (oauth.Request, error) {
	held := s.plan.HoldsSecret && s.plan.ClusterProvider() != ""
	resolved, err := resolve.Resolved{}, error(nil)
	if !held {
		resolved, err = s.resolver.ResolveWith(ctx, s.plan, resolve.Grant{Code: redact.New("rehearsal"), RedirectURI: "http://127.0.0.1/"})
	}
	s.delegated = held || apierrors.IsForbidden(err)
	switch {
	case s.delegated && s.device:
		return resolved.Request, s.byOperator(err)
	case s.delegated:
		return resolved.Request, nil
	}
	return resolved.Request, err
}

// byOperator says how a code for another device is had where the client's secret is not
// for the person.
func (s *session) byOperator(err error) error {
	if s.credential.Spec.GrantType == v1alpha1.GrantDeviceCode {
		return cli.NotReadyf("the client's secret is not for you, so that the operator asks for the code: "+
			"`kubectl tokensync status %s -n %s` shows it, and where to enter it", s.credential.Name, s.credential.Namespace)
	}
	if err == nil {
		err = errors.New("the provider holds the client's secret")
	}
	return fmt.Errorf("a login by --device needs the client's secret: log in by a browser, without --device: %w", err)
}

// nowhere says what else helps where there is no page to log in at.
func (s *session) nowhere(err error) error {
	var spec *resolve.SpecError
	if s.credential.Spec.GrantType == v1alpha1.GrantRefreshToken && errors.As(err, &spec) && s.credential.Spec.RefreshToken != nil {
		ref := s.credential.Spec.RefreshToken.BootstrapRef
		return fmt.Errorf("%w; or get a new refresh token by other means, and put it under the key %q of the Secret %q", err, ref.Key, ref.Name)
	}
	return err
}

// show says who asks for what, and where.
func (s *session) show(tokenURL string) {
	lines := [][2]string{{"Credential", s.credential.Namespace + "/" + s.credential.Name}, {"Provider", s.providerName()}}
	if s.authorization != nil {
		lines = append(lines, [2]string{"Log in at", consent.Authority(s.authorization.Request.AuthorizationURL)})
	}
	if tokenURL != "" {
		lines = append(lines, [2]string{"Tokens from", consent.Authority(tokenURL)})
	}
	for _, asked := range []struct {
		name  string
		items []string
	}{{"Scopes", s.credential.Spec.Scopes}, {"Audiences", s.credential.Spec.Audiences}, {"Resources", s.credential.Spec.Resources}} {
		if len(asked.items) > 0 {
			lines = append(lines, [2]string{asked.name, redact.Message(strings.Join(asked.items, " "))})
		}
	}
	if s.delegated {
		lines = append(lines, [2]string{"Exchange", "by the operator, because the client's secret is not for you"})
	}
	const width = 12
	for _, line := range lines {
		s.environment.Tellf("%s%s", cli.Pad(line[0], width), line[1])
	}
	s.environment.Tellf("")
}

func (s *session) providerName() string {
	if s.plan.Provider == nil {
		return "spec.provider"
	}
	return s.plan.Provider.String()
}

// sendsSecret tells whether a request holds a secret of the client, or of the cluster.
func sendsSecret(request oauth.Request) bool {
	if request.Client.Method != oauth.MethodNone {
		return true
	}
	for _, fields := range [][]oauth.Field{request.Headers, request.Parameters} {
		for _, field := range fields {
			if !field.Origin.IsEmpty() {
				return true
			}
		}
	}
	return false
}

// errand is how long it may take to exchange a code and to store what comes of it.
const errand = 2 * time.Minute

// logIn has the person log in, and leaves what comes of it for the operator.
func (s *session) logIn(ctx context.Context) (*grant.Login, error) {
	if s.device {
		return s.logInByDevice(ctx)
	}
	code, err := s.consent.Browser(ctx, s.environment, s.authorization, s.network.AllowInsecureHTTP)
	if err != nil {
		return nil, err
	}
	// What a person has consented to is not lost because the command is interrupted now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errand)
	defer cancel()
	left, err := s.redeem(ctx, code)
	if err == nil {
		err = s.store(ctx, left)
	}
	code.Finish(err, s.note())
	return left, err
}

func (s *session) note() string {
	name := s.credential.Namespace + "/" + s.credential.Name
	if s.delegated {
		return "The operator now fetches the tokens for " + name + ". The terminal tells when they are there."
	}
	return "The tokens for " + name + " have been stored in the cluster."
}

// refused gives the failures of providers an exit code of their own.
func (s *session) refused(err error) error {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return cli.NotReadyf("%s: %w", resolve.Reason(e.Kind), cli.ExplainNetwork(err))
	}
	return err
}
