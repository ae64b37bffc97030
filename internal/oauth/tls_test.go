package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
)

// serveTLS starts a TLS server that answers well, and returns its certificate.
func serveTLS(t *testing.T, change func(*httptest.Server)) (*httptest.Server, []byte) {
	t.Helper()

	server := httptest.NewUnstartedServer(reply(http.StatusOK, good))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)

	if change != nil {
		change(server)
	}

	server.StartTLS()
	t.Cleanup(server.Close)

	return server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// selfSigned makes a certificate for 127.0.0.1.
func selfSigned(t *testing.T, notAfter time.Time) (tls.Certificate, []byte) {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}

	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: serial.String()}, NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: notAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}

	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}

	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}

func TestTLS(t *testing.T) {
	t.Parallel()

	expired, expiredCA := selfSigned(t, time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC))
	_, otherCA := selfSigned(t, inTheFuture())

	for name, test := range map[string]struct {
		server func(*httptest.Server)
		bundle []byte // nil: the server's own certificate
		change func(*oauth.Request)
		want   string // empty: it works
	}{
		"a CA that is trusted": {},
		"HTTP/2":               {server: func(s *httptest.Server) { s.EnableHTTP2 = true }},
		"a bundle of several":  {change: func(r *oauth.Request) { r.CABundle = append(append(otherCA, "text\n"...), r.CABundle...) }},
		"the system's CAs":     {change: func(r *oauth.Request) { r.CABundle = nil }, want: "unknown authority. If it is a CA of your own, set tls.caRef."},
		"another CA":           {bundle: otherCA, want: "none of the CAs vouches for which tls.caRef names"},
		"another host name": {
			change: func(r *oauth.Request) { r.TokenURL = strings.Replace(r.TokenURL, "127.0.0.1", "localhost", 1) },
			want:   "is not for the host localhost",
		},
		"an expired certificate": {
			server: func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{expired}} },
			bundle: expiredCA, want: "has expired or is not yet valid",
		},
		"TLS 1.1": {
			server: func(s *httptest.Server) {
				s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
			},
			want: "refused the TLS handshake (tls: protocol version not supported)",
		},
		"a client certificate is demanded": {
			server: func(s *httptest.Server) {
				s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
			},
			want: "refused the TLS handshake (tls: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, own := serveTLS(t, test.server)
			request := newRequest(server)

			if request.CABundle = test.bundle; test.bundle == nil {
				request.CABundle = own
			}

			if test.change != nil {
				test.change(&request)
			}

			answer, err := newClient(t).Token(t.Context(), request)

			if test.want == "" {
				if err != nil {
					t.Error(err)
				}

				return
			}

			checkUnreachable(t, failure(t, answer, err), test.want)
		})
	}
}
