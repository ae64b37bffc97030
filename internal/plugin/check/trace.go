package check

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// wire notes what happens on the network while one request is made. Dials may outlive
// the request, so that it is locked.
type wire struct {
	mu sync.Mutex
	// address is the one that was connected to.
	address string
	// version, subject, issuer and notAfter are those of the TLS connection.
	version, subject, issuer string
	notAfter                 time.Time
	// headers are those that were sent, in their order.
	headers []header
}

type header struct{ name, value string }

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectDone: func(_, address string, err error) {
			if err == nil {
				w.note(func() { w.address = address })
			}
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			if err == nil {
				w.note(func() { w.secured(state) })
			}
		},
		WroteHeaderField: func(name string, values []string) {
			w.note(func() {
				for _, value := range values {
					w.headers = append(w.headers, header{name, value})
				}
			})
		},
	}
}

func (w *wire) secured(state tls.ConnectionState) {
	w.version = tls.VersionName(state.Version)
	if len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		w.subject, w.issuer = redact.Message(leaf.Subject.CommonName), redact.Message(leaf.Issuer.String())
		if w.subject == "" && len(leaf.DNSNames) > 0 {
			w.subject = redact.Message(leaf.DNSNames[0])
		}
		w.notAfter = leaf.NotAfter
	}
}

func (w *wire) note(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// again forgets the headers of the request before, and keeps the connection, which may
// serve the next one.
func (w *wire) again() { w.note(func() { w.headers = nil }) }

// connection describes the connection in words; empty where there was none.
func (w *wire) connection() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.address == "":
		return ""
	case w.version == "":
		return w.address + ", without TLS: anyone on the way can read the secrets"
	}
	text := w.address + ", " + w.version
	if w.subject != "" {
		text += ", certificate of " + w.subject + " by " + w.issuer + ", until " + w.notAfter.UTC().Format(time.DateOnly)
	}
	return text
}

// sent are the headers that were written.
func (w *wire) sent() []header {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]header(nil), w.headers...)
}
