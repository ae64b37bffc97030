package main

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tokensync/tokensync/test/e2e/app/report"
	"github.com/tokensync/tokensync/test/standin"
)

// record is what a consumer has seen. It is safe for concurrent use.
type record struct {
	mu   sync.Mutex
	told report.Consumer
	// known has the place of each token in the report, by its hash or, where a proxy adds
	// it, by when it was issued.
	known map[string]int
	done  progress
}

// progress is what counts for the goal.
type progress struct{ calls, tokens, refused int }

func newRecord() *record {
	return &record{
		told:  report.Consumer{Calls: map[string]int{}, Tokens: []report.Token{}},
		known: map[string]int{},
	}
}

// saw notes that the app has a token now.
func (r *record) saw(hash string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.find(hash, report.Token{Hash: hash, SeenAt: now})
}

// find answers the token of that key, and begins with fresh where there is none. The caller
// holds the lock.
func (r *record) find(key string, fresh report.Token) *report.Token {
	place, found := r.known[key]
	if !found {
		place = len(r.told.Tokens)
		r.known[key] = place
		r.told.Tokens = append(r.told.Tokens, fresh)
	}
	return &r.told.Tokens[place]
}

// missed notes that there was no token to call with.
func (r *record) missed(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.told.Tokens) == 0 {
		r.told.Waits++
		return
	}
	r.told.Missing++
	r.failed(err.Error(), now)
}

// unanswered notes that a call had no answer.
func (r *record) unanswered(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.Unanswered++
	r.failed(err.Error(), now)
}

// answered notes what a call was answered. key is the hash of its token, empty where a proxy
// added it.
func (r *record) answered(key string, got reply, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.Calls[strconv.Itoa(got.status)]++
	if got.status != http.StatusOK {
		if got.status == http.StatusUnauthorized {
			r.done.refused++
		}
		r.failed(got.String(), now)
		return
	}
	issuedAt := got.header.Get(standin.HeaderIssuedAt)
	if key == "" {
		key = issuedAt
	}
	token := r.find(key, report.Token{SeenAt: now})
	if token.Accepted == 0 {
		token.AcceptedAt = now
		token.IssuedAt, token.ExpiresAt = instant(issuedAt), instant(got.header.Get(standin.HeaderExpiresAt))
		r.done.tokens++
	}
	token.Accepted++
	r.done.calls++
}

// failed keeps the first error and the last. The caller holds the lock.
func (r *record) failed(text string, now time.Time) {
	r.told.LastError = &report.Error{At: now, Text: text}
	if r.told.FirstError == nil {
		r.told.FirstError = r.told.LastError
	}
}

func (r *record) progress() progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

// snapshot is a copy of the report as it is now.
func (r *record) snapshot() report.Consumer {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	told.Calls, told.Tokens = maps.Clone(told.Calls), slices.Clone(told.Tokens)
	return told
}

// instant reads nanoseconds since 1970; zero where there are none.
func instant(nanoseconds string) time.Time {
	since, err := strconv.ParseInt(nanoseconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, since).UTC()
}
