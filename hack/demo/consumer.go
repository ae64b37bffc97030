package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"
)

// callInterval is how often the consumer behind the sidecar calls the service.
const callInterval = 150 * time.Millisecond

// consume calls a service over and over, as an application does that knows of nothing
// but a file: it reads that anew for each call.
func (d *demo) consume(ctx context.Context) error {
	ticker := time.NewTicker(callInterval)
	defer ticker.Stop()
	url, called := d.board.row(brought).provider.url+standin.ResourcePrefix+"invoices", false
	for {
		token, err := os.ReadFile(filepath.Join(d.tokens, v1alpha1.KeyAccessToken))
		switch {
		case err == nil:
			refused, err := call(ctx, url, string(token))
			if err != nil {
				return err
			}
			d.board.delivery.called(refused)
			called = true
		case called || !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("the consumer reads its token: %w", err)
		}
		if !d.sidecar.Running() {
			return d.ended(ctx, "sidecar")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// call calls a service with a token, and tells whether that was refused.
func call(ctx context.Context, url, token string) (refused bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, fmt.Errorf("the consumer calls: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, fmt.Errorf("the consumer calls: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return false, nil
	case http.StatusUnauthorized:
		return true, nil
	default:
		return false, fmt.Errorf("the consumer calls: %s", response.Status)
	}
}

// delivery is what is known of the tokens that come by the sidecar. It is safe for
// concurrent use.
type delivery struct {
	mu             sync.Mutex
	secret, file   map[string]time.Time // by token, since when it is there
	first          string               // of which that is not known
	calls, refused int
}

func newDelivery() *delivery {
	return &delivery{secret: map[string]time.Time{}, file: map[string]time.Time{}}
}

// inSecret and inFile note that a token is there now, unless it was before.
func (d *delivery) inSecret(token string, now time.Time) { d.note(d.secret, token, now) }
func (d *delivery) inFile(token string, now time.Time)   { d.note(d.file, token, now) }

func (d *delivery) note(since map[string]time.Time, token string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.secret)+len(d.file) == 0 {
		d.first = token
	}
	if _, before := since[token]; !before {
		since[token] = now
	}
}

// called counts a call.
func (d *delivery) called(refused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if refused {
		d.refused++
	}
}

// delivered is a delivery at one instant.
type delivered struct {
	calls, refused int
	// later is for each token but the first how much later than in the Secret it was in
	// the file, the least first.
	later []time.Duration
}

func (d *delivery) view() delivered {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := delivered{calls: d.calls, refused: d.refused}
	for token, since := range d.file {
		if written, known := d.secret[token]; known && token != d.first {
			v.later = append(v.later, since.Sub(written))
		}
	}
	slices.Sort(v.later)
	return v
}

// outcome is what became of the calls, and of new tokens where any came.
func (v delivered) outcome() (calls, tokens string) {
	calls = fmt.Sprintf("%d calls, none refused", v.calls)
	if v.refused > 0 {
		calls = fmt.Sprintf("%d calls, %d REFUSED", v.calls, v.refused)
	}
	if n := len(v.later); n > 0 {
		tokens = fmt.Sprintf("; a new token is in its file %s after the Secret (at most %s)", briefly(v.later[n/2]), briefly(v.later[n-1]))
	}
	return calls, tokens
}

// briefly tells a time that is short, and may be below zero, in whole milliseconds.
func briefly(d time.Duration) string {
	return fmt.Sprintf("%d ms", max(1, d.Round(time.Millisecond).Milliseconds()))
}

// verdict is an error where a call was refused, or in all the time that there was none
// was made.
func (v delivered) verdict(whole bool) error {
	switch {
	case v.refused > 0:
		return fmt.Errorf("the consumer via tokensync-sidecar was refused in %d of %d calls", v.refused, v.calls)
	case whole && v.calls == 0:
		return errors.New("the consumer via tokensync-sidecar never had a token")
	}
	return nil
}
