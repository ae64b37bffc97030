package lease

import "time"

// Record is what a Lease says.
type Record struct {
	// Version is its resourceVersion, empty where there is no Lease.
	Version string
	// Holder is who holds it, empty where it was given back.
	Holder string
	// Lasts is how long others are to wait after they saw it change.
	Lasts time.Duration
}

// Observed is what an elector knows of the Lease. The zero value is for one that has read
// nothing but that there is no Lease.
type Observed struct {
	// Record is what was read last. Where the Lease has vanished since, it has no Version,
	// and nobody knows who may have held it in between.
	Record
	// Since is when the elector first saw it so, by its own clock.
	Since time.Time
}

// Read is what is known after the Lease was read again, at an instant not before the answer
// came.
func (o Observed) Read(record Record, now time.Time) Observed {
	if record.Version == o.Version {
		return o
	}
	if record.Version == "" {
		record = Record{Lasts: o.Lasts}
	}
	return Observed{Record: record, Since: now}
}

// Action is what an elector does next.
type Action string

// The actions.
const (
	// Create makes a Lease, because there is none.
	Create Action = "Create"
	// Take writes the elector's name over another's, or where there is none.
	Take Action = "Take"
	// Renew writes the elector's name over itself.
	Renew Action = "Renew"
	// Wait does nothing before Decision.Until, unless the Lease changes.
	Wait Action = "Wait"
)

// Decision is an action; Until is set for Wait.
type Decision struct {
	Action Action
	Until  time.Time
}

// Decide says what the elector of that identity does, by what it has observed and its own
// clock.
func Decide(identity string, seen Observed, now time.Time) Decision {
	free := seen.Since.Add(seen.Lasts)
	switch {
	case seen.Version != "" && seen.Holder == identity:
		return Decision{Action: Renew}
	case now.Before(free) && (seen.Holder != "" || seen.Version == "" && !seen.Since.IsZero()):
		return Decision{Action: Wait, Until: free}
	case seen.Version == "":
		return Decision{Action: Create}
	default:
		return Decision{Action: Take}
	}
}

// member is what one elector knows and believes.
type member struct {
	identity string
	times    Times
	seen     Observed
	// until is the end of its belief that it holds the Lease.
	until time.Time
}

// holds tells whether the elector may believe that it holds the Lease.
func (m *member) holds(now time.Time) bool { return now.Before(m.until) }

// read notes what the Lease says, and ends the belief where another holds it.
func (m *member) read(record Record, now time.Time) {
	// A record without a duration, or with one that is too short, was written by something
	// else: nobody knows how long that believes.
	record.Lasts = max(record.Lasts, m.times.Duration)
	m.seen = m.seen.Read(record, now)
	if record.Version != "" && record.Holder != m.identity {
		m.until = time.Time{}
	}
}

// wrote notes that a write was acknowledged, which was sent at an instant.
func (m *member) wrote(record Record, sent, now time.Time) {
	m.seen = Observed{Record: record, Since: now}
	m.until = time.Time{}
	if record.Holder == m.identity {
		m.until = sent.Add(m.times.RenewDeadline)
	}
}
