package gate

import "time"

// judge takes in what a request says about the provider.
func (l *line) judge(now time.Time, ticket *Ticket, result Result) {
	l.unjudged--
	switch result.Outcome {
	case Answered:
		l.answered(now, ticket)
		l.budget.put(now, ticket.paid, ticket.paidAt)
	case Refused:
		l.answered(now, ticket)
	case Failed:
		l.failed(now, ticket)
	case Throttled:
		l.throttled(now, ticket, result.RetryAfter)
	case Unsent:
		l.unsent(now, ticket)
	case Cut:
	}
}

func (l *line) answered(now time.Time, ticket *Ticket) {
	l.accepted = append(l.stillRecent(now), acceptance{ticket.client, ticket.namespace.name, now})
	l.breaker.answered(ticket.started, l.limits.concurrent())
	if w := l.wardOf(ticket); w != nil {
		w.breaker.answered(ticket.started, l.limits.concurrent())
		w.answered(now, ticket.started, l.limits)
	}
	l.throttle.answered(now, ticket.started, l.limits)
	if c := l.clients[ticket.client]; c != nil {
		c.answered(now, ticket.started, l.limits)
	}
}

// failed takes in a transient failure.
func (l *line) failed(now time.Time, ticket *Ticket) {
	news, mayOpen := true, true
	if ticket.common && !l.breaker.open {
		news, mayOpen = l.failedInWard(now, ticket)
	}
	if news && l.breaker.failed(now, ticket.started, l.started, mayOpen) {
		l.closeToAll()
	}
}

// throttled holds the client of a request; or its namespace, or everybody: that is what
// the provider means if it refuses a second client, or namespace, as well.
func (l *line) throttled(now time.Time, ticket *Ticket, retryAfter time.Duration) {
	whose := l.whoIsMeant(now, ticket)
	l.accepted = l.stillRecent(now)
	lately := 0
	for _, a := range l.accepted {
		if whose == everybody || whose == itsNamespace && a.namespace == ticket.namespace.name || a.client == ticket.client {
			lately++
		}
	}
	asked := pause{retryAfter, ticket.patience}
	switch whose {
	case everybody:
		l.throttle.refused(now, ticket.started, l.started, asked, lately)
	case itsNamespace:
		l.takeIn(ticket).refused(now, ticket.started, l.started, asked, lately)
	case itsClient:
		l.clientOf(ticket).refused(now, ticket.started, l.started, asked, lately)
	}
}

// whoIsMeant tells whom a provider means that refuses a request.
func (l *line) whoIsMeant(now time.Time, ticket *Ticket) meant {
	seen := sighting{ticket.client, ticket.namespace.name, now}
	before := l.sighting
	l.sighting = seen
	if ticket.shared {
		return everybody
	}
	if !ticket.common {
		if before.isRecent(now) && before.client != ticket.client {
			return everybody
		}
		return itsClient
	}
	w := l.takeIn(ticket)
	inside := w.sighting
	w.sighting = seen
	switch {
	case before.isRecent(now) && before.namespace != ticket.namespace.name:
		return everybody
	case inside.isRecent(now) && inside.client != ticket.client:
		return itsNamespace
	}
	return itsClient
}

// clientOf is what is known of a request's client, which may be nothing yet.
func (l *line) clientOf(ticket *Ticket) *client {
	c := l.clients[ticket.client]
	if c == nil {
		c = &client{}
		if l.clients == nil {
			l.clients = map[string]*client{}
		}
		l.clients[ticket.client] = c
	}
	return c
}

func (l *line) unsent(now time.Time, ticket *Ticket) {
	l.configured.put()
	l.throttle.pace.put()
	if ticket.holder != nil {
		ticket.holder.pace.put()
	}
	l.budget.unsent(now, ticket.paid, ticket.paidAt)
	l.breaker.unsent(ticket.started)
	if ticket.ward != nil {
		ticket.ward.breaker.unsent(ticket.started)
		ticket.ward.pace.put()
	}
}

// stillRecent are the acceptances of the last measured time.
func (l *line) stillRecent(now time.Time) []acceptance {
	for i, a := range l.accepted {
		if now.Sub(a.at) < measured {
			return l.accepted[i:]
		}
	}
	return nil
}
