package oauthcredential

import (
	"context"
	"errors"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// authorize asks for a code for a person to enter, and keeps it.
func (x exchange) authorize(o *outcome) {
	s, now := x.spending, x.resolver.Now
	request, err := x.resolver.DeviceAuthorization(x.ctx, x.plan)
	if err != nil {
		o.failure, o.apiError = sourceFailure(err)
		return
	}
	o.sentAt = now()
	answer, err := s.devices.DeviceAuthorization(x.ctx, request)
	answeredAt := now()
	o.latency = answeredAt.Sub(o.sentAt)
	if o.heard(err); err != nil {
		o.sent = o.failure.answered // Nothing is spent by what nobody has heard.
		return
	}
	record := x.record()
	record.Device = &grant.Device{
		DeviceCode: answer.DeviceCode, UserCode: answer.UserCode,
		VerificationURI: answer.VerificationURI, VerificationURIComplete: answer.VerificationURIComplete,
		ExpiresAt: o.sentAt.Add(answer.ExpiresIn), Interval: answer.Interval, PollAt: answeredAt.Add(answer.Interval),
		Count: s.step.Count, Consent: x.plan.Consent(),
	}
	x.rewrite(o, record)
	if o.apiError == nil && o.failure == nil && o.lookAgainAt.IsZero() {
		o.failure, o.lookAgainAt = approval(record.Device), record.Device.PollAt
	}
}

// poll asks whether the person has entered the code (RFC 8628 section 3.4).
func (x exchange) poll(o *outcome, answered func()) {
	s, record := x.spending, x.record()
	resolved, err := x.resolver.ResolveWith(x.ctx, x.plan, resolve.Grant{DeviceCode: record.Device.DeviceCode})
	o.versions = resolved.Versions
	if err != nil {
		o.failure, o.apiError = sourceFailure(err)
		return
	}
	if !s.unanswered.add() {
		o.apiError = errStopping
		return
	}
	defer s.unanswered.done()
	x.ctx = context.WithoutCancel(x.ctx)
	resolved.Request.Timeout, resolved.Request.Answered = grantTimeout(x.plan), answered
	answer, err := x.send(o, resolved)
	taken := x.taken(o, answer, err, resolved.Request.Client.ID)
	if err == nil || !taken.RefreshToken.IsEmpty() {
		x.approved(o, record, taken)
		return
	}
	x.unapproved(o, record, err)
}

// approved keeps what a person has approved.
func (x exchange) approved(o *outcome, record *grant.Record, taken grant.Taken) {
	code := record.Device.DeviceCode
	taken.Consent = record.Device.Consent
	x.keep(o, record, x.spending.kept.version, taken, func(r *grant.Record) bool {
		if r.Device == nil || !r.Device.DeviceCode.Equal(code) {
			return false
		}
		r.Approve(x.spending.id, taken)
		return true
	}, 0)
}

// unapproved tells what keeps a person's approval from coming.
func (x exchange) unapproved(o *outcome, record *grant.Record, err error) {
	now, device := x.resolver.Now(), record.Device
	e, known := errors.AsType[*oauth.Error](err)
	switch {
	case !known:
	case e.SlowDown > 0:
		device.Interval += e.SlowDown
		device.PollAt = now.Add(device.Interval)
		x.rewrite(o, record)
		fallthrough
	case e.Kind == oauth.KindPending:
		o.failure, o.lookAgainAt = approval(device), now.Add(device.Interval)
	case e.Code == "access_denied":
		device.Declined, o.failure = true, needs(x.credential, x.plan, grant.NeedDevice)
		x.rewrite(o, record)
	case e.GrantRefused:
		// The code has expired: the next look asks for another one, or for a person.
		device.ExpiresAt, o.failure, o.lookAgainAt = now, nil, now
		x.rewrite(o, record)
	}
}

// rewrite writes a grant that has changed, once: what it changes can be found out again.
func (x exchange) rewrite(o *outcome, record *grant.Record) {
	s := x.spending
	version, err := s.grants.write(context.WithoutCancel(x.ctx), keyOf(x.credential), record, s.kept.version, writeTimeout)
	if err != nil {
		x.unwritten(o, err)
		return
	}
	x.describe(o, record, version)
}
