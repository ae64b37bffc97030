package standin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Fault is one way to answer a token request badly.
type Fault uint8

// The faults. Status, Body, ContentType and Header of the behavior replace the
// answer's own where the fault has one.
const (
	// NoFault answers honestly; Delay and ExpiresIn still apply.
	NoFault Fault = iota
	// Hang accepts the request and never answers, until the client leaves.
	Hang
	// Respond answers Status (503 when left out) with Body.
	Respond
	// TooMany answers Status (429 when left out) with RetryAfter.
	TooMany
	// Garbage answers 200 with bytes that are neither JSON nor UTF-8.
	Garbage
	// HTML answers 200 with a web page, as portals and proxies do.
	HTML
	// Truncated announces the whole answer, sends half and cuts the connection. So
	// it always does what was asked for first.
	Truncated
	// Redirect answers 307, which asks for the secret to be sent again, to
	// Location (TrapPath when left out).
	Redirect
	// Huge answers 200 with 10 MiB of JSON without announcing the length.
	Huge
	// Empty answers 200 without a body.
	Empty
	// ErrorIn200 answers 200 with the error Code.
	ErrorIn200
	// Echo answers an error whose description and headers repeat every secret of
	// the request, plain and encoded.
	Echo
	// Reset closes the connection with RST before any answer.
	Reset
)

const faults = int(Reset) + 1

// String returns the fault's name.
func (f Fault) String() string {
	names := [...]string{
		"none", "hang", "respond", "too many", "garbage", "html", "truncated",
		"redirect", "huge", "empty", "error in 200", "echo", "reset",
	}
	if int(f) < len(names) {
		return names[f]
	}
	return "fault " + strconv.Itoa(int(f))
}

// Behavior says how to treat token requests, and which of them.
type Behavior struct {
	// ClientID limits the behavior to one client; empty means all.
	ClientID string
	// Next limits the behavior to so many requests; zero means all, until
	// Behave or another Misbehave.
	Next int
	// Percent limits the behavior to so many of a hundred requests, mixed as if by
	// chance but at every run the same ones; zero means all.
	Percent int
	// Beyond limits the behavior to the requests that exceed a quota; the zero one
	// means all.
	Beyond Quota
	// Until limits the behavior to the requests before that instant; zero means all.
	Until time.Time
	// AfterRotation limits the behavior to the requests that spend something which
	// is good: a refresh token, an authorization code, a device code, the pair of an
	// organization token. It lets the server do that first, so that only the answer
	// suffers. Other requests do not count for Next.
	AfterRotation bool
	// Path makes the behavior one for RevocationPath or DeviceAuthorizationPath;
	// empty means token requests.
	Path string

	// Fault is what goes wrong.
	Fault Fault
	// Delay passes before anything is answered.
	Delay time.Duration
	// Status of the answer.
	Status int
	// Body of the answer.
	Body string
	// ContentType of the answer.
	ContentType string
	// Header is added to the answer.
	Header http.Header
	// RetryAfter is the distance that TooMany asks for; zero sends no header.
	RetryAfter time.Duration
	// RetryAfterDate sends RetryAfter as a date instead of seconds.
	RetryAfterDate bool
	// Location is where Redirect leads.
	Location string
	// Code of ErrorIn200 (invalid_client when left out).
	Code string
	// ExpiresIn replaces the value of expires_in in an honest answer, as raw
	// JSON, be it valid or not. Not nil but empty leaves the member out.
	ExpiresIn json.RawMessage
}

// armed is a behavior with the number of requests that it is still for, and what
// tells which they are.
type armed struct {
	Behavior
	left  atomic.Int64
	seen  atomic.Uint64
	quota bucket
}

// occasion is when a behavior may apply: at which path, empty for token requests, and
// whether the server has done what was asked for.
type occasion struct {
	path  string
	after bool
}

// concerns says whether the behavior applies to a request of the client, and counts
// it.
func (a *armed) concerns(clientID string, at occasion, now time.Time) bool {
	switch {
	case at != occasion{path: a.Path, after: a.AfterRotation}:
		return false
	case a.ClientID != "" && a.ClientID != clientID:
		return false
	case !a.Until.IsZero() && !now.Before(a.Until):
		return false
	case a.Percent > 0 && scatter(a.seen.Add(1))%100 >= uint64(a.Percent):
		return false
	case a.Beyond != Quota{} && a.quota.take(a.Beyond, now):
		return false
	}
	return a.Next == 0 || a.left.Add(-1) >= 0
}

// Misbehave replaces how token requests are treated. For each request the first
// behavior that concerns it applies, and of those that are AfterRotation another
// first one; one whose Next requests have been spent is passed over.
func (s *Server) Misbehave(behaviors ...Behavior) {
	list := make([]*armed, 0, len(behaviors))
	for _, behavior := range behaviors {
		a := &armed{Behavior: behavior}
		a.left.Store(int64(behavior.Next))
		list = append(list, a)
	}
	s.behaviors.Store(&list)
}

// Behave makes the server honest again. Requests that hang or wait are not
// released.
func (s *Server) Behave() {
	s.behaviors.Store(nil)
}

// behaviorFor returns the behavior that applies to a request of the client and
// spends it; nil means none does.
func (s *Server) behaviorFor(clientID string, at occasion) *Behavior {
	list := s.behaviors.Load()
	if list == nil {
		return nil
	}
	now := s.options.Clock()
	for _, a := range *list {
		if a.concerns(clientID, at, now) {
			return &a.Behavior
		}
	}
	return nil
}
