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

	firstFault
)

const outcomes = int(firstFault) + faults

// Outcome is what a request is counted as that met the fault.
func (f Fault) Outcome() Outcome {
	return firstFault + Outcome(f)
}

// String returns the outcome's name.
func (o Outcome) String() string {
	names := [...]string{"issued", "rejected", "malformed", "abandoned", "not found", "trapped", "served", "denied"}
	switch {
	case int(o) < len(names):
		return names[o]
	case int(o) < outcomes:
		return Fault(o - firstFault).String()
	default:
		return "outcome " + strconv.Itoa(int(o))
	}
}
