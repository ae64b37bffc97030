package login

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
)

// TestTakeOfAnAnswerThatCannotBeUsed: the code is spent, and what came for it is all that
// there is.
func TestTakeOfAnAnswerThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	useless := &oauth.Error{Kind: oauth.KindInvalidResponse, Message: "has no access_token", RefreshToken: redact.New("r3fresh")}
	for name, test := range map[string]struct {
		err  error
		kept bool
	}{
		"with a refresh token":    {useless, true},
		"without one":             {&oauth.Error{Kind: oauth.KindInvalidResponse}, false},
		"that is no answer":       {errors.New("no answer"), false},
		"behind another sentence": {fmt.Errorf("no answer: %w", useless), true},
	} {
		var told bytes.Buffer
		s := &session{options: &options{environment: &cli.Environment{
			IOStreams: genericiooptions.IOStreams{ErrOut: &told}, Clock: testclock.NewFakeClock(now),
		}}}
		left := &grant.Login{}
		err := s.take(left, nil, test.err, oauth.Request{})
		if (err == nil) != test.kept || (left.RefreshToken.Reveal() == "r3fresh") != test.kept || left.At.Equal(now) != test.kept {
			t.Errorf("%s: got %+v and %v", name, left, err)
		}
		if strings.Contains(told.String(), "r3fresh") || (told.Len() > 0) != test.kept {
			t.Errorf("%s: told %q", name, &told)
		}
	}
}

func TestPasses(t *testing.T) {
	t.Parallel()
	secrets := schema.GroupResource{Resource: "secrets"}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"a connection that ended":     {&url.Error{Op: "Patch", URL: "https://api.example", Err: io.EOF}, true},
		"an API server in trouble":    {apierrors.NewInternalError(io.EOF), true},
		"one that is not ready":       {apierrors.NewServiceUnavailable("not yet"), true},
		"one that is overwhelmed":     {apierrors.NewTooManyRequestsError("later"), true},
		"a right that is missing":     {apierrors.NewForbidden(secrets, "x", io.EOF), false},
		"what is no grant":            {errors.New("the Secret is not the grant of this credential"), false},
		"what cannot be written":      {apierrors.NewBadRequest("no"), false},
		"a login behind a sentence":   {fmt.Errorf("stored: %w", apierrors.NewServiceUnavailable("not yet")), true},
		"a namespace that is leaving": {apierrors.NewNotFound(secrets, "x"), false},
	} {
		if got := passes(test.err); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
