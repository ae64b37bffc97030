package standin

import "strconv"

// Outcome says what became of a request.
type Outcome uint8

// The outcomes of an honest server; those of a misbehaving one are
// Fault.Outcome.
const (
	// Issued: a token was answered.
	Issued Outcome = iota
	// Rejected: the client, its secret, its tenant or its scope is wrong.
	Rejected
	// Malformed: method, content type or parameters are wrong.
	Malformed
	// Abandoned: the client left during a delay.
	Abandoned
	// NotFound: there is nothing at this path.
	NotFound
	// Trapped: the client followed a redirect.
	Trapped
	// Served: a protected resource was answered.
	Served
	// Denied: a protected resource was refused.
	Denied
	// Pending: a client polled, and the person had not decided yet.
	Pending
	// Started: a client began the device grant.
	Started
	// Withheld: a person denied what a client asked for.
	Withheld
	// Consented: a person allowed it.
	Consented
	// Shown: a page was shown to a person, or the metadata to a client.
	Shown
	// Revoked: a revocation request was answered with 200.
	Revoked
	// Managed: an organization token was listed, looked at or deleted, or its
	// secondary pair.
	Managed

	firstFault
)

const outcomes = int(firstFault) + faults

// Outcome is what a request is counted as that met the fault.
func (f Fault) Outcome() Outcome {
	return firstFault + Outcome(f)
}

// String returns the outcome's name.
func (o Outcome) String() string {
	names := [...]string{
		"issued", "rejected", "malformed", "abandoned", "not found", "trapped", "served", "denied",
		"pending", "started", "withheld", "consented", "shown", "revoked", "managed",
	}
	switch {
	case int(o) < len(names):
		return names[o]
	case int(o) < outcomes:
		return Fault(o - firstFault).String()
	default:
		return "outcome " + strconv.Itoa(int(o))
	}
}
