package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

// unavailableError says that there is no token to send.
type unavailableError struct{ sentence string }

// Error is a sentence for the user.
func (e *unavailableError) Error() string { return e.sentence }

// refuse answers in the place of the upstream.
func (p *Proxy) refuse(w http.ResponseWriter, status int, sentence string) {
	p.Metrics.ProxyRequest(status)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, sentence, status)
}

// fail answers a request that the upstream did not.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	if unavailable, ok := errors.AsType[*unavailableError](err); ok {
		w.Header().Set("Retry-After", loopback.RetryAfter)
		p.refuse(w, http.StatusServiceUnavailable, unavailable.sentence)
		return
	}
	sentence := p.problem(err)
	if r.Context().Err() != nil {
		// The client went away, or the process ends.
		sentence = "The request was given up."
	} else if more, ok := p.failures.tell(sentence, p.Clock.Now()); ok {
		p.Log.Warn("A request was not answered by the upstream", "method", r.Method, "url", redact.URL(r.URL.String()),
			"problem", sentence, "more", more)
	}
	p.refuse(w, http.StatusBadGateway, sentence)
}

// failuresEvery is how often the same failure is logged.
const failuresEvery = time.Minute

// failures keeps a busy app from filling the log while its upstream is down. It is safe for
// concurrent use.
type failures struct {
	mu     sync.Mutex
	last   string
	toldAt time.Time
	more   int
}

// tell tells whether a failure is to be logged, which is so when it is another one or the
// last line is some time ago, and how many more there were since then.
func (f *failures) tell(problem string, now time.Time) (more int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if problem == f.last && now.Before(f.toldAt.Add(failuresEvery)) {
		f.more++
		return 0, false
	}
	more = f.more
	f.last, f.toldAt, f.more = problem, now, 0
	return more, true
}

// problem says why there is no answer, without anything of what the upstream sent.
func (p *Proxy) problem(err error) string {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		network   net.Error
		errno     syscall.Errno
	)
	who := "The upstream " + redact.Message(p.Upstream.Host)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return who + " is not known to DNS. Check --proxy-upstream."
	case errors.As(err, &dns):
		return who + " could not be looked up in DNS."
	case errors.As(err, &authority):
		return who + " has a certificate of an unknown authority. If it is a CA of your own, have SSL_CERT_FILE name its bundle."
	case errors.As(err, &hostname):
		return who + " has a certificate that is for another host. Check --proxy-upstream."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return who + " has a certificate that has expired or is not yet valid, unless the clock here is wrong."
	case errors.As(err, &verify):
		return who + " has a certificate that cannot be verified."
	case errors.As(err, &record):
		return who + " does not speak TLS on this port. Check --proxy-upstream."
	case errors.As(err, &network) && network.Timeout():
		return who + " did not answer in time. Check that network policies and firewalls let this pod through."
	case errors.As(err, &errno):
		return fmt.Sprintf("%s cannot be reached: %s.", who, errno.Error())
	default:
		return who + " broke the connection off before an answer came, or answered with what is not HTTP."
	}
}
