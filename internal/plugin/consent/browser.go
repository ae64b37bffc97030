package consent

import (
	"context"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// Code is what a person's consent is worth: an authorization code (RFC 6749 section 4.1.2)
// and what it takes to exchange it.
type Code struct {
	resolve.Grant

	// At is when it came.
	At time.Time

	finish func(outcome)
}

// Finish tells the person in the browser what came of the code: an error, or what there
// is to know where all went well. It is called once.
func (c *Code) Finish(err error, note string) { c.finish(outcome{err: err, note: note}) }

// Browser has a person consent in a browser, and waits for the code. insecure lets the
// authorization endpoint begin with http://. Unless there is an error, the caller has to
// call Finish. An error was shown in the browser already, if that came back.
func (f *Flags) Browser(
	ctx context.Context, environment *cli.Environment, authorization *resolve.Authorization, insecure bool,
) (*Code, error) {
	state, err := oauth.NewState(environment.Random)
	if err != nil {
		return nil, err
	}
	back, err := listen(ctx, authorization.Request.RedirectURI, state)
	if err != nil {
		return nil, err
	}
	code, err := f.await(ctx, environment, authorization, back, insecure)
	if err != nil {
		back.close(ctx)
		return nil, err
	}
	finish := code.finish
	code.finish = func(o outcome) {
		finish(o)
		back.close(ctx)
	}
	return code, nil
}

// await sends the person to the authorization endpoint, and waits.
func (f *Flags) await(
	ctx context.Context, environment *cli.Environment, authorization *resolve.Authorization, back *callback, insecure bool,
) (*Code, error) {
	verifier, err := oauth.NewCodeVerifier(environment.Random)
	if err != nil {
		return nil, err
	}
	request := authorization.Request
	request.RedirectURI, request.State, request.CodeChallenge = back.uri, back.state, oauth.CodeChallenge(verifier)
	url, err := request.URL(insecure)
	if err != nil {
		return nil, err
	}
	f.invite(environment, url)
	came, err := f.listenFor(ctx, environment, back, url)
	if err != nil {
		return nil, err
	}
	at := environment.Clock.Now()
	code, err := oauth.ParseCallback(came.query, oauth.Expectation{
		State: back.state, Issuer: authorization.Issuer, IssuerRequired: authorization.IssuerRequired,
	})
	if err != nil {
		came.outcome <- outcome{err: err}
		return nil, err
	}
	return &Code{
		Grant:  resolve.Grant{Code: code, Verifier: verifier, RedirectURI: back.uri},
		At:     at,
		finish: func(o outcome) { came.outcome <- o },
	}, nil
}

// invite says where to go.
func (f *Flags) invite(environment *cli.Environment, url string) {
	if f.NoBrowser {
		environment.Tellf("Open this URL in a browser on this machine:\n\n  %s\n", printable(url))
		return
	}
	environment.Tellf("Your browser opens this URL, where you log in:\n\n  %s\n", printable(url))
}

// listenFor waits for the answer, for as long as the person may take.
func (f *Flags) listenFor(ctx context.Context, environment *cli.Environment, back *callback, url string) (answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := environment.Clock.NewTimer(f.Timeout)
	defer timer.Stop()
	failed, astray := f.page(ctx, environment, url), back.astray
	for {
		select {
		case came := <-back.answers:
			return came, nil
		case err := <-failed:
			environment.Tellf("%s.", sentence(redact.Message(err.Error())))
		case err := <-astray:
			astray = nil // Whoever sends many must not fill the terminal.
			environment.Tellf("%s The command still waits for the right one.", redact.Message(err.Error()))
		case <-timer.C():
			return answer{}, cli.Timeoutf("nobody has logged in within %s: run the command again, and take longer with --login-timeout", f.Timeout)
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
	}
}
