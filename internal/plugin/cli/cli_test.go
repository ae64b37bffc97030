package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, cli.ExitOK},
		{errors.New("e"), cli.ExitFailed},
		{cli.Usagef("e"), cli.ExitUsage},
		{fmt.Errorf("wrapped: %w", cli.NotReadyf("e")), cli.ExitNotReady},
		{cli.Timeoutf("e"), cli.ExitTimeout},
		{cli.Silent(cli.ExitNotReady), cli.ExitNotReady},
		{fmt.Errorf("wrapped: %w", context.Canceled), cli.ExitInterrupted},
	} {
		if got := cli.ExitCode(test.err); got != test.want {
			t.Errorf("%v: got %d, want %d", test.err, got, test.want)
		}
	}
	if text := cli.Silent(cli.ExitNotReady).Error(); text != "" {
		t.Errorf("got %q", text)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for answer, code := range map[string]int{
		"y\n": cli.ExitOK, "YES\n": cli.ExitOK, " yes \n": cli.ExitOK,
		"n\n": cli.ExitFailed, "\n": cli.ExitFailed, "": cli.ExitFailed, "y": cli.ExitFailed, "yeah\n": cli.ExitFailed,
	} {
		var asked bytes.Buffer
		e := &cli.Environment{
			IOStreams: genericiooptions.IOStreams{In: strings.NewReader(answer), ErrOut: &asked}, Terminal: cli.Terminal{In: true},
		}
		if got := cli.ExitCode(e.Confirm(t.Context(), "Send it?")); got != code || asked.String() != "Send it? [y/N] " {
			t.Errorf("%q: got %d and asked %q, want %d", answer, got, asked.String(), code)
		}
	}
	nobody := &cli.Environment{IOStreams: genericiooptions.IOStreams{In: strings.NewReader("y\n"), ErrOut: io.Discard}}
	if err := nobody.Confirm(t.Context(), "Send it?"); cli.ExitCode(err) != cli.ExitUsage {
		t.Errorf("without a terminal: got %v", err)
	}
	silent, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	waiting := &cli.Environment{IOStreams: genericiooptions.IOStreams{In: silent, ErrOut: io.Discard}, Terminal: cli.Terminal{In: true}}
	if err := waiting.Confirm(ctx, "Send it?"); cli.ExitCode(err) != cli.ExitInterrupted {
		t.Errorf("interrupted: got %v", err)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		selection cli.Selection
		good      bool
	}{
		"nothing":                  {cli.Selection{}, true},
		"names":                    {cli.Selection{Names: []string{"a", "b"}}, true},
		"labels of all namespaces": {cli.Selection{Selector: "a=b,c!=d", AllNamespaces: true}, true},
		"names and labels":         {cli.Selection{Names: []string{"a"}, Selector: "a=b"}, false},
		"names of all namespaces":  {cli.Selection{Names: []string{"a"}, AllNamespaces: true}, false},
		"names and all":            {cli.Selection{Names: []string{"a"}, All: true}, false},
		"all and all namespaces":   {cli.Selection{All: true, AllNamespaces: true}, false},
		"labels that are none":     {cli.Selection{Selector: "a in"}, false},
	} {
		if err := test.selection.Validate(); (err == nil) != test.good || err != nil && cli.ExitCode(err) != cli.ExitUsage {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, nil},
		{"one two three", 0, []string{"one two three"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one  two\nthree", 8, []string{"one two", "three"}},
		{"incomprehensible a", 4, []string{"incomprehensible", "a"}},
		{"äöü äöü", 3, []string{"äöü", "äöü"}},
	} {
		if got := cli.Wrap(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("%q at %d: got %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]string{
		0: "now", 900 * time.Millisecond: "now", -900 * time.Millisecond: "now",
		time.Second: "in 1s", 90 * time.Minute: "in 90m", -time.Minute: "60s ago", 50 * time.Hour: "in 2d2h",
	} {
		if got := cli.When(now.Add(after), now); got != want {
			t.Errorf("%s: got %q, want %q", after, got, want)
		}
	}
}

// TestExplainKeepsTheError holds because callers tell errors apart by what is within.
func TestExplainKeepsTheError(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "s", errors.New("no"))
	if err := cli.Explain(forbidden); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "ask an administrator") {
		t.Errorf("got %v", err)
	}
	if cli.Explain(nil) != nil {
		t.Error("no error became one")
	}
}

// TestTheFlagIsOnesOwn: the one that lets a command ask a provider.
func TestTheFlagIsOnesOwn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		network cli.Network
		url     string
		says    string
	}{
		"a network that is refused": {cli.Network{AllowInsecureHTTP: true}, "http://127.0.0.1:1/", "give this command --egress-allow-cidr"},
		"http that is refused":      {cli.Network{Allow: []string{"127.0.0.0/8"}}, "http://127.0.0.1:1/", "give this command --allow-insecure-http"},
		"a port where nobody is":    {cli.Network{AllowInsecureHTTP: true, Allow: []string{"127.0.0.0/8"}}, "http://127.0.0.1:1/", ""},
	} {
		client, err := test.network.Client(&cli.Environment{Clock: clock.RealClock{}, Random: strings.NewReader("")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Token(t.Context(), oauth.Request{
			TokenURL: test.url, GrantType: "client_credentials", Client: oauth.ClientAuthentication{Method: oauth.MethodNone, ID: "acme"},
		})
		got := cli.ExplainNetwork(err)
		if err == nil || !errors.Is(got, err) || !strings.Contains(got.Error(), test.says) || (test.says == "") != (got.Error() == err.Error()) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
