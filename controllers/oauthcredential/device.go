package oauthcredential

import (
	"context"
	"errors"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// authorize asks for a code for a person to enter, and keeps it.
func (x exchange) authorize(o *outcome) {
	s, now := x.spending, x.Resolver.Now
	request, err := x.Resolver.DeviceAuthorization(x.ctx, x.Plan)
	if err != nil {
		o.Failure, o.APIError = issuance.SourceFailure(err)
		return
	}
	o.SentAt = now()
	answer, err := s.devices.DeviceAuthorization(x.ctx, request)
	answeredAt := now()
	o.Latency = answeredAt.Sub(o.SentAt)
	if o.Heard(err); err != nil {
		o.Sent = o.Failure.Answered // Nothing is spent by what nobody has heard.
		return
	}
	record := x.record()
	record.Device = &grant.Device{
		DeviceCode: answer.DeviceCode, UserCode: answer.UserCode,
		VerificationURI: answer.VerificationURI, VerificationURIComplete: answer.VerificationURIComplete,
		ExpiresAt: o.SentAt.Add(answer.ExpiresIn), Interval: answer.Interval, PollAt: answeredAt.Add(answer.Interval),
		Count: s.step.Count, Consent: x.Plan.Consent(),
	}
	x.rewrite(o, record)
	if o.APIError == nil && o.Failure == nil && o.lookAgainAt.IsZero() {
		o.Failure, o.lookAgainAt = approval(record.Device), record.Device.PollAt
	}
}

// poll asks whether the person has entered the code (RFC 8628 section 3.4).
func (x exchange) poll(o *outcome, answered func()) {
	s, record := x.spending, x.record()
	resolved, err := x.Resolver.ResolveWith(x.ctx, x.Plan, resolve.Grant{DeviceCode: record.Device.DeviceCode})
	o.Versions = resolved.Versions
	if err != nil {
		o.Failure, o.APIError = issuance.SourceFailure(err)
		return
	}
	if !s.unanswered.add() {
		o.APIError = errStopping
		return
	}
	defer s.unanswered.done()
	x.ctx = context.WithoutCancel(x.ctx)
	resolved.Request.Timeout, resolved.Request.Answered = grantTimeout(x.Plan), answered
	answer, err := x.Send(x.ctx, &o.Outcome, resolved)
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
	now, device := x.Resolver.Now(), record.Device
	e, known := errors.AsType[*oauth.Error](err)
	switch {
	case !known:
	case e.SlowDown > 0:
		device.Interval += e.SlowDown
		device.PollAt = now.Add(device.Interval)
		x.rewrite(o, record)
		fallthrough
	case e.Kind == oauth.KindPending:
		o.Failure, o.lookAgainAt = approval(device), now.Add(device.Interval)
	case e.Code == "access_denied":
		device.Declined, o.Failure = true, needs(x.credential, x.Plan, grant.NeedDevice)
		x.rewrite(o, record)
	case e.GrantRefused:
		// The code has expired: the next look asks for another one, or for a person.
		device.ExpiresAt, o.Failure, o.lookAgainAt = now, nil, now
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
