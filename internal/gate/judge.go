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
	l.accepted = append(l.stillRecent(now), acceptance{ticket.client, now})
	l.breaker.answered(ticket.started, l.limits.concurrent())
	if w := l.wardOf(ticket); w != nil {
		w.breaker.answered(ticket.started, l.limits.concurrent())
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
		news, mayOpen = l.inWard(now, ticket)
	}
	if news && l.breaker.failed(now, ticket.started, l.started, mayOpen) {
		l.dischargeAll()
	}
}

// throttled holds the client of a request, or everybody: that is what the provider
// means if it refuses a second client as well.
func (l *line) throttled(now time.Time, ticket *Ticket, retryAfter time.Duration) {
	everybody := ticket.shared || l.sighting.byOther(ticket, now)
	l.sighting = sighting{ticket.client, ticket.namespace.name, now}
	l.accepted = l.stillRecent(now)
	if everybody {
		l.throttle.refused(now, ticket.started, l.started, pause{retryAfter, ticket.patience}, len(l.accepted))
		return
	}
	lately := 0
	for _, a := range l.accepted {
		if a.client == ticket.client {
			lately++
		}
	}
	c := l.clients[ticket.client]
	if c == nil {
		c = &client{}
		if l.clients == nil {
			l.clients = map[string]*client{}
		}
		l.clients[ticket.client] = c
	}
	c.refused(now, ticket.started, l.started, pause{retryAfter, ticket.patience}, lately)
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
