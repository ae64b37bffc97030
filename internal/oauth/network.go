package oauth

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// networkError returns the *Error for a request that got no answer.
func (x *exchange) networkError(err error) *Error {
	e := x.unanswered(err)
	e.Undecided = x.mayHaveArrived(err)

	return e
}

// mayHaveArrived tells whether the endpoint may have acted on a request that got
// no answer. What goes wrong after there is a connection comes too late to be
// sure, but for an alert of TLS in the place of an answer: with TLS 1.3 that is
// how the other side ends a handshake which is over for this one.
func (x *exchange) mayHaveArrived(err error) bool {
	if isAlert(err) && !x.reused.Load() && !x.answering.Load() {
		return false
	}

	return x.connected.Load()
}

// isAlert tells whether the other side sent an alert of TLS.
func isAlert(err error) bool {
	var operation *net.OpError

	return errors.As(err, &operation) && operation.Op == "remote error"
}

// unanswered returns the *Error for a request that got no answer, without what
// follows from it.
func (x *exchange) unanswered(err error) *Error {
	if denied, ok := errors.AsType[*egress.DeniedError](err); ok {
		remedy := "allow it with --egress-allow-cidr"
		if denied.Named {
			remedy = "take it out of --egress-deny-cidr"
		}

		return &Error{
			Kind: KindEgressDenied, Class: lifetime.Configuration, cause: denied,
			Message: fmt.Sprintf("The host %s of %s leads to %s, to which tokensync does not connect. "+
				"If it should, have an administrator %s.", x.host(), x.role.field(), denied.Category, remedy),
		}
	}

	if ended := x.ended(); ended != nil {
		return ended
	}

	if message := x.tlsProblem(err); message != "" {
		return x.unreachable(message, nil)
	}

	if message, cause := x.dialProblem(err); message != "" {
		return x.unreachable(message, cause)
	}

	if x.handshakeFailed.Load() {
		return x.unreachable(fmt.Sprintf("The TLS handshake with %s failed. The endpoint has to offer TLS 1.2 or later.",
			x.whoInside()), nil)
	}

	if x.answering.Load() && !isCut(err) {
		return &Error{
			Kind: KindInvalidResponse, Class: lifetime.Protocol,
			Message: fmt.Sprintf("%s sent an answer that is not valid HTTP, or whose headers exceed 64 KiB. Check %s.",
				x.who(), x.role.field()),
		}
	}

	return x.unreachable(fmt.Sprintf("The connection to %s broke off before an answer came.", x.whoInside()), nil)
}

// bodyError returns the *Error for an answer that could not be read to its end.
func (x *exchange) bodyError(err error, status int) *Error {
	e := x.ended()

	var corrupt flate.CorruptInputError

	switch {
	case e != nil:
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		e = &Error{
			Kind: KindInvalidResponse, Class: lifetime.Protocol,
			Message: x.who() + " sent an answer whose compression is damaged.",
		}
	default:
		e = x.unreachable(fmt.Sprintf("The connection to %s broke off within the answer.", x.whoInside()), nil)
	}

	// Only a 2xx needs its body: the endpoint did something, but what is lost.
	e.Status, e.Undecided = status, true

	return e
}

// ended returns the *Error for a request whose time is over, or that the
// caller gave up; else nil.
func (x *exchange) ended() *Error {
	if x.limited == nil || x.limited.Err() == nil {
		return nil
	}

	if err := x.parent.Err(); err != nil {
		return x.unreachable(fmt.Sprintf("The request to %s was given up before an answer came.", x.whoInside()), err)
	}

	if !x.connected.Load() {
		return x.unreachable(fmt.Sprintf("No connection to %s came about within %s. Check %s and that "+
			"network policies and firewalls let tokensync through.",
			x.whoInside(), x.timeout, x.role.field()), context.DeadlineExceeded)
	}

	return x.unreachable(fmt.Sprintf("%s did not answer within %s.", x.who(), x.timeout), context.DeadlineExceeded)
}

// tlsProblem returns a message about a failed TLS handshake, or nothing.
func (x *exchange) tlsProblem(err error) string {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		operation *net.OpError
	)

	switch {
	case errors.As(err, &authority) && x.request.CABundle != nil:
		return x.who() + " has a certificate that none of the CAs vouches for which tls.caRef names. " +
			"Put the right CA there."
	case errors.As(err, &authority):
		return x.who() + " has a certificate of an unknown authority. " +
			"If it is a CA of your own, set tls.caRef."
	case errors.As(err, &hostname):
		return fmt.Sprintf("%s has a certificate that is not for the host %s. Check %s.", x.who(), x.host(), x.role.field())
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return x.who() + " has a certificate that has expired or is not yet valid. " +
			"The provider has to renew it, unless the clock here is wrong."
	case errors.As(err, &verify):
		return x.who() + " has a certificate that cannot be verified."
	case errors.As(err, &record):
		return fmt.Sprintf("%s does not speak TLS on this port. Check %s.", x.who(), x.role.field())
	case errors.As(err, &operation) && operation.Op == "remote error":
		// The text is one of a fixed list in crypto/tls: an alert.
		return fmt.Sprintf("%s refused the TLS handshake (%s).", x.who(), operation.Err)
	default:
		return ""
	}
}

// dialProblem returns a message about a connection that did not come about or
// broke off, and a cause that may be shown; else nothing.
func (x *exchange) dialProblem(err error) (string, error) {
	var (
		dns   *net.DNSError
		proxy *proxyError
		errno syscall.Errno
	)

	switch {
	case errors.As(err, &proxy):
		return fmt.Sprintf("The proxy of the environment refused to connect to %s with HTTP status %d.",
			redact.Message(x.endpoint.Host), proxy.status), nil
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("The host name of %s is not known to DNS. Check %s.", x.whoInside(), x.role.field()), nil
	case errors.As(err, &dns):
		return fmt.Sprintf("The host name of %s could not be looked up in DNS.", x.whoInside()), nil
	case errors.As(err, &errno):
		return fmt.Sprintf("The connection to %s failed: %s.", x.whoInside(), errno.Error()), errno
	default:
		return "", nil
	}
}

// isCut tells whether the other side closed the connection.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// unreachable returns an *Error of the kind of that name.
func (x *exchange) unreachable(message string, cause error) *Error {
	return &Error{Kind: KindUnreachable, Class: lifetime.Transient, Message: message, cause: cause}
}

// host returns the host name of the endpoint, without a port.
func (x *exchange) host() string {
	return redact.Message(x.endpoint.Hostname())
}
