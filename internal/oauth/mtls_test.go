package oauth_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
)

// inTheFuture is when the certificates of these tests end.
func inTheFuture() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// serveMutualTLS starts a server that answers with the certificate that it was
// shown as the token, and a request for it.
func serveMutualTLS(t *testing.T, config *tls.Config) (request oauth.Request, opened *atomic.Int32) {
	t.Helper()

	opened = &atomic.Int32{}
	server, own := serveTLS(t, func(server *httptest.Server) {
		server.EnableHTTP2, server.TLS = true, config
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := "nobody"
			if shown := r.TLS.PeerCertificates; len(shown) > 0 {
				token = digest(shown[0].Raw)
			}

			if _, err := io.WriteString(w, `{"access_token":"`+token+`"}`); err != nil {
				panic(http.ErrAbortHandler)
			}
		})
	})

	request = newRequest(server)
	request.CABundle = own
	request.Client = oauth.ClientAuthentication{Method: oauth.MethodSelfSignedTLSClientAuth, ID: "me"}

	return request, opened
}

// digest names a certificate.
func digest(der []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(der))
}

func TestConnectionsBelongToOneCertificate(t *testing.T) {
	t.Parallel()

	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()

			request, opened := serveMutualTLS(t, &tls.Config{ClientAuth: tls.RequestClientCert, MaxVersion: version})
			client := newClient(t)
			mine, _ := selfSigned(t, inTheFuture())
			other, _ := selfSigned(t, inTheFuture())

			ask := func(certificate *tls.Certificate, want string) {
				t.Helper()

				if request.Client.Certificate = certificate; certificate == nil {
					request.Client.Method = oauth.MethodNone
				}

				answer, err := client.Token(t.Context(), request)
				if err != nil {
					t.Fatal(err)
				}

				if got := answer.AccessToken.Reveal(); got != want {
					t.Errorf("the server saw %s, want %s", got, want)
				}
			}

			for range 2 {
				same := mine // a certificate that is read anew is the same one

				ask(&mine, digest(mine.Certificate[0]))
				ask(&other, digest(other.Certificate[0]))
				ask(&same, digest(mine.Certificate[0]))
			}

			if n := opened.Load(); n != 2 {
				t.Errorf("%d connections for two certificates", n)
			}

			ask(nil, "nobody")

			if n := opened.Load(); n != 3 {
				t.Errorf("%d connections for two certificates and none", n)
			}
		})
	}
}

// A server may name the authorities it trusts. That of a self-signed
// certificate is not among them, nor is any that was left out by mistake.
func TestACertificateIsShownWhateverTheServerLists(t *testing.T) {
	t.Parallel()

	_, listed := selfSigned(t, inTheFuture())
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(listed)

	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()

			certificate, _ := selfSigned(t, inTheFuture())
			request, _ := serveMutualTLS(t, &tls.Config{
				ClientAuth: tls.RequireAnyClientCert, ClientCAs: authorities, MaxVersion: version,
			})
			request.Client.Certificate = &certificate

			answer, err := newClient(t).Token(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}

			if answer.AccessToken.Reveal() != digest(certificate.Certificate[0]) {
				t.Error("the server saw another certificate")
			}
		})
	}
}

func TestACertificateThatIsRefused(t *testing.T) {
	t.Parallel()

	_, listed := selfSigned(t, inTheFuture())
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(listed)

	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()

			certificate, _ := selfSigned(t, inTheFuture())
			request, _ := serveMutualTLS(t, &tls.Config{
				ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authorities, MaxVersion: version,
			})
			request.Client.Certificate = &certificate

			answer, err := newClient(t).Token(t.Context(), request)

			checkUnreachable(t, failure(t, answer, err),
				"It may have refused the client certificate: check client.certificateRef.")
		})
	}
}
