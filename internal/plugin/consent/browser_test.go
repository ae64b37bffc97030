package consent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/resolve"
)

func environment(open func(context.Context, string) error) (*cli.Environment, *bytes.Buffer) {
	var told bytes.Buffer
	return &cli.Environment{
		IOStreams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: &told},
		Clock:     clock.RealClock{}, Random: strings.NewReader(strings.Repeat("x", 32) + strings.Repeat("y", 32)), Open: open,
	}, &told
}

func authorization() *resolve.Authorization {
	return &resolve.Authorization{
		Request: oauth.AuthorizationRequest{
			AuthorizationURL: "https://login.example.com/authorize", ClientID: "acme", RedirectURI: "http://127.0.0.1/callback",
		},
		Issuer: "https://login.example.com", IssuerRequired: true,
	}
}

// browser is a person at a browser whose provider answers with some parameters; those of
// the request are at hand.
func browser(t *testing.T, page chan<- string, answer func(request url.Values) url.Values) func(context.Context, string) error {
	t.Helper()
	return func(ctx context.Context, opened string) error {
		parsed, err := url.Parse(opened)
		if err != nil {
			return err
		}
		target := parsed.Query().Get("redirect_uri") + "?" + answer(parsed.Query()).Encode()
		request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, target, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		page <- string(body)
		return err
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	pages := make(chan string, 1)
	var asked url.Values
	e, told := environment(browser(t, pages, func(request url.Values) url.Values {
		asked = request
		return url.Values{"code": {"the-code"}, "state": {request.Get("state")}, "iss": {"https://login.example.com"}}
	}))
	flags := Flags{Timeout: time.Minute}
	code, err := flags.Browser(t.Context(), e, authorization(), false)
	if err != nil {
		t.Fatal(err)
	}
	code.Finish(nil, "The tokens are there.")
	if page := <-pages; !strings.Contains(page, "The tokens are there.") {
		t.Errorf("got %s", page)
	}
	if code.Code.Reveal() != "the-code" || code.RedirectURI != asked.Get("redirect_uri") || oauth.CodeChallenge(code.Verifier) != asked.Get("code_challenge") {
		t.Errorf("the code does not fit the request %v", asked)
	}
	if asked.Get("code_challenge_method") != "S256" || strings.Contains(told.String(), code.Verifier.Reveal()) {
		t.Errorf("asked %v and told %s", asked, told)
	}
}

func TestAnswersThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer url.Values
		kind   oauth.Kind
	}{
		"another issuer": {url.Values{"code": {"c"}, "iss": {"https://evil.example.com"}}, oauth.KindInvalidResponse},
		"no issuer":      {url.Values{"code": {"c"}}, oauth.KindInvalidResponse},
		"a no":           {url.Values{"error": {"access_denied"}, "iss": {"https://login.example.com"}}, oauth.KindRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pages := make(chan string, 1)
			e, _ := environment(browser(t, pages, func(request url.Values) url.Values {
				test.answer.Set("state", request.Get("state"))
				return test.answer
			}))
			flags := Flags{Timeout: time.Minute}
			_, err := flags.Browser(t.Context(), e, authorization(), false)
			if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Kind != test.kind {
				t.Errorf("got %v", err)
			}
			if page := <-pages; !strings.Contains(page, "has not worked") {
				t.Errorf("got %s", page)
			}
		})
	}
}

// TestAnAnswerOfAnotherLoginEndsNothing: neither a stale tab nor an attack keeps the right
// answer from being heard.
func TestAnAnswerOfAnotherLoginEndsNothing(t *testing.T) {
	t.Parallel()
	pages := make(chan string, 1)
	var astray []string
	e, told := environment(browser(t, pages, func(request url.Values) url.Values {
		for _, state := range []url.Values{{"state": {"guessed"}}, {"state": {""}}, {}, {"state": {request.Get("state"), "guessed"}}} {
			state.Set("code", "stolen")
			status, page, _ := ask(t, http.MethodGet, request.Get("redirect_uri")+"?"+state.Encode(), "")
			if status != http.StatusBadRequest || !strings.Contains(page, "has not worked") {
				t.Errorf("%v: got %d\n%s", state, status, page)
			}
			astray = append(astray, page)
		}
		return url.Values{"code": {"the-code"}, "state": {request.Get("state")}, "iss": {"https://login.example.com"}}
	}))
	flags := Flags{Timeout: time.Minute}
	code, err := flags.Browser(t.Context(), e, authorization(), false)
	if err != nil {
		t.Fatal(err)
	}
	code.Finish(nil, "The tokens are there.")
	if page := <-pages; !strings.Contains(page, "The tokens are there.") || code.Code.Reveal() != "the-code" {
		t.Errorf("got %s", page)
	}
	if !strings.Contains(astray[0], "the state of another login") || strings.Count(told.String(), "still waits for the right one") != 1 {
		t.Errorf("the page says\n%s\nand the terminal\n%s", astray[0], told)
	}
}

func TestNobodyComes(t *testing.T) {
	t.Parallel()
	e, told := environment(func(context.Context, string) error { return errors.New("no display") })
	flags := Flags{Timeout: 300 * time.Millisecond}
	if _, err := flags.Browser(t.Context(), e, authorization(), false); cli.ExitCode(err) != cli.ExitTimeout {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(told.String(), "No browser could be opened") {
		t.Errorf("told %s", told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, _ = environment(nil)
	if _, err := flags.Browser(ctx, e, authorization(), false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestOnlyHTTPSIsOpened holds for authorization endpoints that a provider names.
func TestOnlyHTTPSIsOpened(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"http://login.example.com/authorize", "file:///etc/passwd", "javascript:alert(1)"} {
		opened := false
		e, _ := environment(func(context.Context, string) error { opened = true; return nil })
		a := authorization()
		a.Request.AuthorizationURL = endpoint
		flags := Flags{Timeout: 100 * time.Millisecond}
		if _, err := flags.Browser(t.Context(), e, a, false); err == nil || opened {
			t.Errorf("%s: opened %t, got %v", endpoint, opened, err)
		}
	}
}

// polled answers a device's polls in turn.
type polled struct {
	Tokens

	answers []error
	clock   *testclock.FakeClock
	at      []time.Duration
	began   time.Time
}

func (p *polled) Token(context.Context, oauth.Request) (*oauth.Answer, error) {
	p.at = append(p.at, p.clock.Since(p.began))
	next := p.answers[0]
	p.answers = p.answers[1:]
	if next != nil {
		return nil, next
	}
	return &oauth.Answer{}, nil
}

func TestPoll(t *testing.T) {
	t.Parallel()
	pending := &oauth.Error{Kind: oauth.KindPending, Class: lifetime.Authorization}
	slow := &oauth.Error{Kind: oauth.KindPending, Class: lifetime.Authorization, SlowDown: 5 * time.Second}
	away := &oauth.Error{Kind: oauth.KindUnreachable, Class: lifetime.Transient}
	denied := &oauth.Error{Kind: oauth.KindRejected, Class: lifetime.Authorization}
	for name, test := range map[string]struct {
		answers []error
		seconds []int
		timeout time.Duration
		code    int
		says    string
	}{
		"at the second try": {[]error{pending, nil}, []int{5, 10}, time.Minute, cli.ExitOK, ""},
		"told to slow down": {[]error{slow, pending, nil}, []int{5, 15, 25}, time.Minute, cli.ExitOK, ""},
		"through an outage": {[]error{away, nil}, []int{5, 15}, time.Minute, cli.ExitOK, ""},
		"declined":          {[]error{pending, denied}, []int{5, 10}, time.Minute, cli.ExitFailed, ""},
		"nobody in all time": {
			[]error{pending, pending, pending, pending, pending, pending},
			[]int{5, 10, 15, 20, 25},
			time.Minute, cli.ExitTimeout,
			"nobody has entered the code within 30s, for which it was good",
		},
		"nobody in the time of the flag": {
			[]error{pending, pending, pending}, []int{5, 10, 15}, 20 * time.Second, cli.ExitTimeout, "take longer with --login-timeout",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			fake := testclock.NewFakeClock(began)
			e, _ := environment(nil)
			e.Clock = fake
			tokens := &polled{answers: test.answers, clock: fake, began: began}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for ctx.Err() == nil {
					if fake.HasWaiters() {
						fake.Step(time.Second)
					}
				}
			}()
			flags := Flags{Timeout: test.timeout}
			_, err := flags.poll(ctx, e, tokens, oauth.Request{}, &oauth.DeviceAuthorization{
				Interval: 5 * time.Second, ExpiresIn: 30 * time.Second, Sent: began,
			})
			if cli.ExitCode(err) != test.code || test.says != "" && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
			for i, seconds := range test.seconds {
				if i >= len(tokens.at) || tokens.at[i] != time.Duration(seconds)*time.Second {
					t.Fatalf("asked at %v, want %v seconds", tokens.at, test.seconds)
				}
			}
			if len(tokens.at) != len(test.seconds) {
				t.Errorf("asked at %v", tokens.at)
			}
		})
	}
}

// TestTheCodeIsShown with the page that has it in it already, where there is one.
func TestTheCodeIsShown(t *testing.T) {
	t.Parallel()
	e, told := environment(nil)
	device := &oauth.DeviceAuthorization{UserCode: "WDJB-MJHT", VerificationURI: "https://login.example.com/device"}
	flags := Flags{NoBrowser: true}
	flags.show(t.Context(), e, device)
	if !strings.Contains(told.String(), "https://login.example.com/device\n\n  WDJB-MJHT\n") || strings.Contains(told.String(), "Or open") {
		t.Errorf("told %s", told)
	}
	device.VerificationURIComplete = "https://login.example.com/device?user_code=WDJB-MJHT"
	flags.show(t.Context(), e, device)
	if !strings.Contains(told.String(), "Or open this page") || !strings.Contains(told.String(), "\n  "+device.VerificationURIComplete+"\n") {
		t.Errorf("told %s", told)
	}
}
