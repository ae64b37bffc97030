package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/consent"
	"github.com/tokensync/tokensync/internal/plugin/source"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// checker carries credentials out.
type checker struct {
	*options

	objects  *source.Objects
	tokens   *oauth.Client
	resolver resolve.Resolver
	printer  *printer
}

// hint says where else a missing object may be looked for.
func (c *checker) hint(err error) string {
	var missing *resolve.SourceError
	if c.objects.Cluster == nil && errors.As(err, &missing) && missing.Problem == resolve.NotFound {
		return " (It was looked for in the file only: --with-cluster looks into the cluster, too.)"
	}
	return ""
}

func newChecker(o *options, objects *source.Objects) (*checker, error) {
	tokens, err := o.network.Client(o.environment)
	if err != nil {
		return nil, err
	}
	return &checker{
		options: o, objects: objects, tokens: tokens, resolver: objects.Resolver(tokens, o.environment.Clock.Now),
		printer: &printer{out: o.environment.Out, terminal: o.environment.Terminal},
	}, nil
}

// check carries one credential out, and answers why it does not work.
func (c *checker) check(ctx context.Context, credential *v1alpha1.OAuthCredential) error {
	c.printer.heading(credential.Namespace + "/" + credential.Name)
	plan, err := c.plan(ctx, credential)
	if err != nil {
		return err
	}
	switch grantType := credential.Spec.GrantType; {
	case grantType == v1alpha1.GrantRefreshToken:
		return c.withoutSpending(ctx, plan)
	case grantType == v1alpha1.GrantAuthorizationCode && !c.consent.Device:
		return c.byCode(ctx, credential, plan)
	case plan.KeepsGrant():
		return c.byDevice(ctx, credential, plan)
	}
	resolved, err := c.resolver.Resolve(ctx, plan)
	if err != nil {
		return err
	}
	if err := c.mayAsk(ctx, resolved.Request); err != nil {
		return err
	}
	return c.exchange(ctx, credential, plan, resolved.Request)
}

// withoutSpending looks at all of a request but the answer: a refresh token is not sent
// from here.
func (c *checker) withoutSpending(ctx context.Context, plan *resolve.Plan) error {
	token, _, err := c.resolver.Bootstrap(ctx, plan)
	if err != nil {
		return err
	}
	resolved, err := c.resolver.ResolveWith(ctx, plan, resolve.Grant{RefreshToken: token})
	if err != nil {
		return err
	}
	c.showClient(resolved.Request)
	c.printer.step("request", "POST "+shownURL(resolved.Request.TokenURL)+", which is not made")
	c.printer.verdict(untried, "not tried: with most providers the request would spend the refresh token, and tokensync would be left "+
		"without one. All that can be told beforehand is in order; apply the credential, and look at it with `kubectl tokensync status`")
	return nil
}

// plan joins the credential with its provider, and says what that makes.
func (c *checker) plan(ctx context.Context, credential *v1alpha1.OAuthCredential) (*resolve.Plan, error) {
	provider, err := c.objects.Provider(ctx, credential)
	if err != nil {
		return nil, err
	}
	name := "spec.provider"
	if provider != nil {
		name = provider.String()
	}
	plan, err := resolve.Join(credential, provider)
	if err != nil {
		return nil, err
	}
	if err := plan.Check(c.resolver.Expressions); err != nil {
		return nil, err
	}
	c.printer.step("provider", name)
	c.printer.step("grant", string(credential.Spec.GrantType))
	if issuer := plan.Endpoint.Issuer; issuer != "" {
		c.printer.step("issuer", redact.URL(string(issuer)))
	}
	return plan, nil
}

// byCode has a person log in, and exchanges the code.
func (c *checker) byCode(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan) error {
	authorization, err := c.resolver.Authorization(ctx, plan)
	if err != nil {
		return err
	}
	// All is read and asked beforehand: a code may live for seconds.
	rehearsed, err := c.resolver.ResolveWith(ctx, plan, resolve.Grant{Code: redact.New("rehearsal"), RedirectURI: "http://127.0.0.1/"})
	if err != nil {
		return err
	}
	if err := c.mayAsk(ctx, rehearsed.Request); err != nil {
		return err
	}
	c.printer.step("login", redact.URL(authorization.Request.AuthorizationURL))
	code, err := c.consent.Browser(ctx, c.environment, authorization, c.network.AllowInsecureHTTP)
	if err != nil {
		return err
	}
	resolved, err := c.resolver.ResolveWith(ctx, plan, code.Grant)
	if err == nil {
		err = c.exchange(ctx, credential, plan, resolved.Request)
	}
	code.Finish(err, "The check has worked. Nothing was stored.")
	return err
}

// byDevice has a person enter a code elsewhere.
func (c *checker) byDevice(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan) error {
	asking, err := c.resolver.DeviceAuthorization(ctx, plan)
	if err != nil {
		return err
	}
	if err := c.mayAsk(ctx, asking); err != nil {
		return err
	}
	c.printer.step("login", "by device, at "+redact.URL(asking.TokenURL))
	c.showClient(asking)
	traced := &traced{checker: c, wire: &wire{}}
	answer, request, err := c.consent.ByDevice(ctx, c.environment, traced, c.resolver, plan)
	traced.show()
	if err != nil {
		return err
	}
	return c.judge(credential, plan, request, answer)
}

// exchange makes a token request, and shows it and what comes of it.
func (c *checker) exchange(
	ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan, request oauth.Request,
) error {
	c.showClient(request)
	traced := &traced{checker: c, wire: &wire{}}
	answer, err := traced.Token(ctx, request)
	traced.show()
	if err != nil {
		return err
	}
	return c.judge(credential, plan, request, answer)
}

// showClient says who asks.
func (c *checker) showClient(request oauth.Request) {
	who := string(request.Client.Method)
	if request.Client.ID != "" {
		who += ", id " + redact.Message(request.Client.ID)
	}
	c.printer.step("client", who)
}

// mayAsk asks the person before a secret of the cluster goes to the provider.
func (c *checker) mayAsk(ctx context.Context, request oauth.Request) error {
	if c.consent.Yes || !c.objects.FromCluster() {
		return nil
	}
	return c.environment.Confirm(ctx,
		fmt.Sprintf("Send what this needs of the cluster's secrets to %s?", consent.Authority(request.TokenURL)))
}

func (c *checker) showRequest(request oauth.Request, wire *wire) {
	scrubber := redact.NewScrubber(request.Secrets()...)
	lines := []string{cmp.Or(request.Method, "POST") + " " + shownURL(request.TokenURL)}
	for _, header := range wire.sent() {
		lines = append(lines, redact.Message(header.name)+": "+scrubber.Clean(header.value))
	}
	for i, p := range parameters(request) {
		if i == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, redact.Message(p.name)+"="+redact.Message(p.value))
	}
	c.printer.lines("request", lines)
	if connection := wire.connection(); connection != "" {
		c.printer.step("connection", connection)
	}
}

func (c *checker) showAnswer(request oauth.Request, heard *listener, took time.Duration) {
	if heard.answer == nil {
		return
	}
	lines := []string{fmt.Sprintf("HTTP status %d after %d ms", heard.answer.Status, took.Milliseconds())}
	c.printer.lines("answer", append(lines, heard.lines(request)...))
}

// shownURL is a URL without the values of its query.
func shownURL(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil || parsed.RawQuery == "" {
		return redact.URL(raw)
	}
	var names []string
	for name := range parsed.Query() {
		names = append(names, redact.Message(name)+"="+redact.Marker)
	}
	return redact.URL(raw) + "?" + strings.Join(names, "&")
}
