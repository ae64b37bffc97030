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
	o.latency = now().Sub(o.sentAt)
	if err != nil {
		o.failure = tokenFailure(err)
		o.sent = o.failure.answered
		return
	}
	o.sent = true
	record := x.record()
	record.Device = &grant.Device{
		DeviceCode: answer.DeviceCode, UserCode: answer.UserCode,
		VerificationURI: answer.VerificationURI, VerificationURIComplete: answer.VerificationURIComplete,
		ExpiresAt: o.sentAt.Add(answer.ExpiresIn), Interval: answer.Interval, Count: s.step.Count,
		Consent: x.plan.Consent(),
	}
	x.rewrite(o, record)
	if o.apiError == nil && o.failure == nil && o.again.IsZero() {
		o.failure, o.again = approval(record.Device), now().Add(record.Device.Interval)
	}
}

// poll asks whether the person has entered the code (RFC 8628 section 3.4).
func (x exchange) poll(o *outcome, answered func()) {
	s, now := x.spending, x.resolver.Now
	record := x.record()
	device := record.Device
	resolved, err := x.resolver.ResolveWith(x.ctx, x.plan, resolve.Grant{DeviceCode: device.DeviceCode})
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
	request := resolved.Request
	request.Timeout, request.Answered = grantTimeout(x.plan), answered
	o.sentAt = now()
	answer, err := x.tokens.Token(x.ctx, request)
	o.latency = now().Sub(o.sentAt)
	if err == nil {
		o.sent = true
		x.approved(o, record, answer, request.Client.ID)
		return
	}
	x.unapproved(o, record, err)
}

// approved keeps what a person has approved.
func (x exchange) approved(o *outcome, record *grant.Record, answer *oauth.Answer, clientID string) {
	s := x.spending
	taken, _ := takenFrom(answer, nil, grant.Token{Answer: answer, ClientID: clientID, InputsHash: x.plan.AnswerHash()})
	taken.At, taken.Consent = o.sentAt, record.Device.Consent
	code := record.Device.DeviceCode
	after, version, ok := s.grants.amend(x.ctx, x.credential, record, s.kept.version, func(r *grant.Record) bool {
		if r.Device == nil || !r.Device.DeviceCode.Equal(code) {
			return false
		}
		r.Approve(s.id, taken)
		return true
	})
	if !ok {
		o.again = x.resolver.Now()
		return
	}
	x.describe(o, after, version)
	if after.Login != nil {
		o.again = x.resolver.Now()
	}
	o.judge(x.plan, x.resolver.Expressions, keptOf(after, taken), x.held)
}

// unapproved tells what keeps a person's approval from coming.
func (x exchange) unapproved(o *outcome, record *grant.Record, err error) {
	now, device := x.resolver.Now(), record.Device
	var e *oauth.Error
	if !errors.As(err, &e) {
		o.failure = tokenFailure(err)
		return
	}
	o.failure = tokenFailure(err)
	o.sent = o.failure.answered
	switch {
	case e.SlowDown > 0:
		device.Interval += e.SlowDown
		x.rewrite(o, record)
		fallthrough
	case e.Kind == oauth.KindPending:
		o.failure, o.again = approval(device), now.Add(device.Interval)
	case e.Code == "access_denied":
		device.Declined = true
		x.rewrite(o, record)
		o.failure = needs(x.credential, grant.NeedDevice)
	case e.GrantRefused:
		// The code has expired: the next look asks for another one, if it may.
		device.ExpiresAt = now
		x.rewrite(o, record)
		o.failure, o.again = needs(x.credential, grant.NeedDevice), now
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
