package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// hookTimeout bounds one request.
const hookTimeout = 10 * time.Second

// hook is a URL that is asked after each change.
type hook struct {
	client    *http.Client
	url       string
	userAgent string
}

func newHook(to *url.URL, userAgent string) *hook {
	return &hook{
		url:       to.String(),
		userAgent: userAgent,
		client: &http.Client{
			Timeout: hookTimeout,
			// The hook is the app's own, next door: there is no proxy on the way to it, and
			// a connection is not worth keeping from one token to the next.
			Transport: &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
}

func (h *hook) begin() attempt { return h.post }

func (h *hook) post(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, http.NoBody)
	if err != nil {
		return h.failed(err)
	}
	request.Header.Set("User-Agent", h.userAgent)
	response, err := h.client.Do(request)
	if err != nil {
		return h.failed(err)
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode / 100 {
	case 2:
		return nil
	case 3:
		return fmt.Errorf("%s answers %d, and redirects are not followed: set --notify-url to where it leads",
			redact.URL(h.url), response.StatusCode)
	default:
		return fmt.Errorf("%s answers %d: the hook must answer 2xx to a POST", redact.URL(h.url), response.StatusCode)
	}
}

// failed names the URL without what may be secret in it, which the error of the client
// does not, and leaves out the ports of the connection, which are others each time.
func (h *hook) failed(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return fmt.Errorf("%s did not answer within %s", redact.URL(h.url), h.client.Timeout)
		}
		err = wrapped.Err
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err
	}
	return fmt.Errorf("%s cannot be asked: %w", redact.URL(h.url), err)
}
