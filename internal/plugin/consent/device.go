package consent

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// Tokens asks endpoints. Every error is an *oauth.Error.
type Tokens interface {
	Token(ctx context.Context, request oauth.Request) (*oauth.Answer, error)
	DeviceAuthorization(ctx context.Context, request oauth.Request) (*oauth.DeviceAuthorization, error)
}

// ByDevice has a person enter a code on any device, and asks for the token until there is
// one (RFC 8628 section 3.5). It answers the request for the token, too.
func (f *Flags) ByDevice(
	ctx context.Context, environment *cli.Environment, tokens Tokens, resolver resolve.Resolver, plan *resolve.Plan,
) (*oauth.Answer, oauth.Request, error) {
	asking, err := resolver.DeviceAuthorization(ctx, plan)
	if err != nil {
		return nil, asking, err
	}
	device, err := tokens.DeviceAuthorization(ctx, asking)
	if err != nil {
		return nil, asking, err
	}
	resolved, err := resolver.ResolveWith(ctx, plan, resolve.Grant{DeviceCode: device.DeviceCode})
	if err != nil {
		return nil, resolved.Request, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.show(ctx, environment, device)
	answer, err := f.poll(ctx, environment, tokens, resolved.Request, device)
	return answer, resolved.Request, err
}

// show says where to go, and what to enter there.
func (f *Flags) show(ctx context.Context, environment *cli.Environment, device *oauth.DeviceAuthorization) {
	environment.Tellf("Open this page on any device, and enter the code there:\n\n  %s\n\n  %s\n",
		printable(device.VerificationURI), redact.Message(device.UserCode))
	url := device.VerificationURI
	if device.VerificationURIComplete != "" {
		url = device.VerificationURIComplete
		environment.Tellf("Or open this page, which has the code already:\n\n  %s\n", printable(url))
	}
	// Whoever has no browser here has one elsewhere: that none opened is no news.
	f.page(ctx, environment, url)
}

// poll asks for the token until the person has decided, or the code has run out.
func (f *Flags) poll(
	ctx context.Context, environment *cli.Environment, tokens Tokens, request oauth.Request, device *oauth.DeviceAuthorization,
) (*oauth.Answer, error) {
	interval := device.Interval
	end := device.Sent.Add(min(device.ExpiresIn, f.Timeout))
	for {
		if err := environment.Wait(ctx, interval); err != nil {
			return nil, err
		}
		answer, err := tokens.Token(ctx, request)
		if err == nil {
			return answer, nil
		}
		longer, goOn := again(err, interval)
		if !goOn {
			return nil, err
		}
		interval = longer
		if !environment.Clock.Now().Add(interval).Before(end) {
			return nil, f.late(device)
		}
	}
}

// late is the error of a code that nobody has entered in time.
func (f *Flags) late(device *oauth.DeviceAuthorization) error {
	if f.Timeout < device.ExpiresIn {
		return cli.Timeoutf("nobody has entered the code within %s: run the command again, and take longer with --login-timeout", f.Timeout)
	}
	return cli.Timeoutf("nobody has entered the code within %s, for which it was good: run the command again, which gets a new one",
		device.ExpiresIn)
}

// again says when to ask again after an error, if at all.
func again(err error, interval time.Duration) (time.Duration, bool) {
	const longest = time.Minute
	e, ok := errors.AsType[*oauth.Error](err)
	switch {
	case !ok:
		return 0, false
	case e.Kind == oauth.KindPending:
		return max(interval+e.SlowDown, e.RetryAfter), true
	case e.Class == lifetime.Transient || e.Class == lifetime.Throttled:
		return max(min(2*interval, longest), e.RetryAfter), true
	}
	return 0, false
}

// sentence begins a text as a sentence does.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
