package lifetime

import "time"

// minSpacing is the least distance between two token requests of one credential,
// whatever asks for them.
const minSpacing = time.Second

// Action is what a decision tells its caller to do.
type Action string

// The actions.
const (
	// Wait tells to do nothing until the decision's NextLook.
	Wait Action = "Wait"
	// Request tells to ask the provider for a token.
	Request Action = "Request"
	// Publish tells to write the token that is at hand already.
	Publish Action = "Publish"
	// Repair tells to write the token that the target holds once more.
	Repair Action = "Repair"
)

// Trigger is why a token is wanted.
type Trigger string

// The triggers, in the order in which they are looked for.
const (
	// Retry follows a failure, by the schedule of its class.
	Retry Trigger = "Retry"
	// GrantChanged means that somebody has changed the grant that is kept, which has to
	// be looked at.
	GrantChanged Trigger = "GrantChanged"
	// NoToken means that the target holds no token.
	NoToken Trigger = "NoToken"
	// SpecChanged means that the token was asked for by other inputs.
	SpecChanged Trigger = "SpecChanged"
	// ClientChanged means that the client's Secret has another version.
	ClientChanged Trigger = "ClientChanged"
	// Requested means that a person or a sidecar asked for a refresh.
	Requested Trigger = "Requested"
	// Due means that the token has reached its refresh time.
	Due Trigger = "Due"
)

// Facts is all that a decision is made from.
type Facts struct {
	// Blocked holds all token requests back: the credential is suspended, or its
	// target cannot be written.
	Blocked bool
	// InFlight says that a token request is under way or waits for its turn.
	InFlight bool
	// Pending says that a token for the current inputs is at hand, unpublished.
	Pending bool

	// Held says that the target holds a token, and Token how long it lives.
	Held  bool
	Token Token
	// Policy and Seed shape the refresh time; Seed is the credential's UID.
	Policy Policy
	Seed   string

	// Drifted says that something beside the token is not as it was written, and
	// RepairAt when it may be written again.
	Drifted  bool
	RepairAt time.Time

	// SpecChanged, ClientChanged and Requested are the triggers of those names. Under
	// Replaces a changed client is none: the next refresh brings it into use.
	SpecChanged, ClientChanged, Requested bool

	// GrantChanged is the trigger of that name. To look costs no request.
	GrantChanged bool

	// NeedsPerson says that the last failure waits for one, so that nothing is asked for
	// until something changes.
	NeedsPerson bool
	// Failed says that the last request failed, and RetryAt when that failure's
	// class allows the next one; zero where nobody worked that out.
	Failed  bool
	RetryAt time.Time
	// CauseChanged says that something the failure may come from has changed since.
	CauseChanged bool

	// LastRequest is when the last request began, zero when there was none, and
	// NotBefore when the next one makes sense at all.
	LastRequest time.Time
	NotBefore   time.Time
	// AllowedAt is when the bucket for unscheduled requests allows the next one.
	AllowedAt time.Time
}

// Decision is what to do now, why, and when to look again.
type Decision struct {
	Action  Action
	Trigger Trigger
	// Unscheduled says that the request draws on the credential's bucket: no
	// schedule made it due, but a change or a person.
	Unscheduled bool
	// RequestAt is when the next token is to be asked for; zero while that is under
	// way or blocked.
	RequestAt time.Time
	// NextLook is the next instant at which anything can change by itself. Zero when
	// there is none.
	NextLook time.Time
}

// Decide says what a credential needs at the instant now.
func Decide(f Facts, now time.Time) Decision {
	f = f.rewound(now)
	d := f.want(now)
	due := !d.RequestAt.IsZero() && !now.Before(d.RequestAt)
	switch {
	case f.Blocked, f.InFlight:
		d = Decision{Action: Wait, Trigger: d.Trigger}
	case f.Pending && (due || !f.heldBack()):
		// It cost its request already: writing it waits for no schedule.
		d.Action = Publish
	case due:
		d.Action = Request
	default:
		d.Action = Wait
	}
	if d.Action == Wait && f.repairable() && !now.Before(f.RepairAt) {
		d.Action = Repair
	}
	d.NextLook = f.nextLook(d, now)
	return d
}

// repairable says that the target is worth repairing: with a changed spec, the
// next token does it.
func (f Facts) repairable() bool {
	return f.Held && f.Drifted && !f.SpecChanged
}

// heldBack says that a failure sets the pace, because nothing has changed since
// that could make the next attempt end otherwise.
func (f Facts) heldBack() bool {
	return f.Failed && !f.CauseChanged && !f.Requested && !f.RetryAt.IsZero()
}

// want works out why the next token is wanted and from when on.
func (f Facts) want(now time.Time) Decision {
	var trigger Trigger
	switch {
	case f.GrantChanged:
		return Decision{Trigger: GrantChanged, RequestAt: f.spaced(now)}
	case f.NeedsPerson && !f.CauseChanged && !f.Requested:
		return Decision{Trigger: Retry}
	case f.heldBack():
		// Whatever made the request due, the class of its failure sets the pace.
		return Decision{Trigger: Retry, RequestAt: f.spaced(f.RetryAt)}
	case f.Failed:
		trigger = Retry
	case !f.Held:
		trigger = NoToken
	case f.SpecChanged:
		trigger = SpecChanged
	case f.ClientChanged && f.Policy.Reissue != Replaces:
		// Where a new token ends the old one, that is too dear for a client that may be as good as the last.
		trigger = ClientChanged
	case f.Requested:
		trigger = Requested
	default:
		return Decision{Trigger: Due, RequestAt: f.spaced(f.refreshAt(now))}
	}
	if at, ok := f.scheduled(now); ok && at.Before(f.AllowedAt) {
		return Decision{Trigger: trigger, RequestAt: f.spaced(at)} // A change never makes it later.
	}
	return Decision{Trigger: trigger, Unscheduled: true, RequestAt: f.spaced(f.AllowedAt)}
}

// scheduled is when the next request would be due, had nothing changed.
func (f Facts) scheduled(now time.Time) (time.Time, bool) {
	if f.Failed {
		return f.RetryAt, !f.RetryAt.IsZero()
	}
	return f.refreshAt(now), f.Held
}

// spaced moves at behind the last request by the least distance, and to where a
// request makes sense. It never is the
// zero time, which stands for "not by itself".
func (f Facts) spaced(at time.Time) time.Time {
	for _, earliest := range []time.Time{f.LastRequest.Add(minSpacing), f.NotBefore} {
		if at.Before(earliest) {
			at = earliest
		}
	}
	return at
}

// nextLook is the soonest of the boundaries that lie ahead: the request, the
// repair, the expiry.
func (f Facts) nextLook(d Decision, now time.Time) time.Time {
	var next time.Time
	soonest := func(at time.Time, applies bool) {
		if applies && now.Before(at) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	soonest(d.RequestAt, d.Action == Wait || d.Action == Repair)
	soonest(f.RepairAt, f.repairable())
	soonest(f.Token.ExpiresAt, f.Held)
	return next
}
