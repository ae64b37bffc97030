package check

import (
	"context"
	"net/http/httptrace"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/consent"
)

// traced asks endpoints, and shows what is sent and what comes of it. Of a token that is
// asked for again and again, the last time is shown.
type traced struct {
	*checker

	wire *wire
	// request is the last one, nil where none was made; heard is its answer, which took
	// that long.
	request *oauth.Request
	heard   *listener
	took    time.Duration
}

var _ consent.Tokens = (*traced)(nil)

// Token implements consent.Tokens.
func (t *traced) Token(ctx context.Context, request oauth.Request) (*oauth.Answer, error) {
	ctx, done := t.begin(ctx, &request)
	defer done()
	return t.tokens.Token(ctx, request)
}

// DeviceAuthorization implements consent.Tokens.
func (t *traced) DeviceAuthorization(ctx context.Context, request oauth.Request) (*oauth.DeviceAuthorization, error) {
	traced, done := t.begin(ctx, &request)
	device, err := t.tokens.DeviceAuthorization(traced, request)
	done()
	t.show() // The person may take their time.
	return device, err
}

// begin listens to a request, until done.
func (t *traced) begin(ctx context.Context, request *oauth.Request) (listening context.Context, done func()) {
	t.wire.again()
	t.heard = &listener{next: request.Response}
	request.Response = t.heard
	t.request = request
	began := t.environment.Clock.Now()
	return httptrace.WithClientTrace(ctx, t.wire.trace()), func() { t.took = t.environment.Clock.Since(began) }
}

// show shows the last request, once.
func (t *traced) show() {
	if t.request == nil {
		return
	}
	t.showRequest(*t.request, t.wire)
	t.showAnswer(*t.request, t.heard, t.took)
	t.request = nil
}
