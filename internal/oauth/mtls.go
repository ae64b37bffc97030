package oauth

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
)

// fingerprint returns what tells a client certificate and its chain from all
// others; the zero value for nil.
func fingerprint(certificate *tls.Certificate) [sha256.Size]byte {
	if certificate == nil {
		return [sha256.Size]byte{}
	}

	digest := sha256.New()

	for _, der := range certificate.Certificate {
		// The lengths keep apart chains that join to the same bytes.
		digest.Write(binary.BigEndian.AppendUint64(nil, uint64(len(der))))
		digest.Write(der)
	}

	return [sha256.Size]byte(digest.Sum(nil))
}

// presents returns the callback that presents the certificate to a server which
// asks for one; nil for nil. crypto/tls by itself would present none where the
// server's list of authorities has not that of the certificate, and the server
// then would complain of a missing certificate instead of saying what is wrong
// with this one. A list also says nothing about certificates that are
// self-signed (RFC 8705 section 2.2).
func presents(certificate *tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if certificate == nil {
		return nil
	}

	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
}

// certificateAdvice adds to an error what to look at where the endpoint may have
// refused the client certificate. With TLS 1.3 it does so after the handshake,
// and often nothing of it arrives but the end of the connection.
func (x *exchange) certificateAdvice(err error, e *Error) *Error {
	silent := x.connected.Load() && !x.reused.Load() && !x.answering.Load()

	if x.request.Client.Certificate != nil && x.limited.Err() == nil && (isAlert(err) || silent) {
		e.Message += " It may have refused the client certificate: check client.certificateRef."
	}

	return e
}
