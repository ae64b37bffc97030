package failures_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// provider is a stand-in that listens.
type provider struct {
	*standin.Server
	url string
}

// failuresInRow is after how many failures in a row a provider is known to be down.
const failuresInRow = 5

// accept registers every client with the secret that clientSecret holds.
func accept(_, secret string) bool { return secret == "app-secret" }

// startProvider starts a token endpoint for the length of a test.
func startProvider(lifetime time.Duration) *provider {
	GinkgoHelper()
	server := standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: accept, LogSize: 4096})
	url, stop, err := server.Listen()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stop)
	return &provider{Server: server, url: url}
}

// startTLSProvider starts one behind a certificate of an authority that nobody
// knows, and answers that authority.
func startTLSProvider(lifetime time.Duration) (*provider, string) {
	GinkgoHelper()
	server := standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: accept})
	listening := httptest.NewUnstartedServer(server)
	listening.Config.ErrorLog = log.New(io.Discard, "", 0)
	listening.StartTLS()
	DeferCleanup(listening.Close)
	return &provider{Server: server, url: listening.URL}, encode(listening.Certificate().Raw)
}

// expectBehaved demands that the provider got nothing that no client would send.
func (p *provider) expectBehaved() {
	GinkgoHelper()
	Expect(p.Violations()).To(BeEmpty())
}

// strangersCA is a certificate that has signed nothing.
func strangersCA() string {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	return encode(raw)
}

func encode(certificate []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
}

// indent makes a text fit a block of YAML.
func indent(text string) string {
	return strings.ReplaceAll(text, "\n", "\n    ")
}

// closedAddress is an address that refuses connections. Nobody else is given its port
// until it is released: a socket is bound to it, and does not listen.
func closedAddress() (address string, release func()) {
	GinkgoHelper()
	syscall.ForkLock.RLock() // A process that is started meanwhile must not hold it, too.
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	Expect(err).NotTo(HaveOccurred())
	release = sync.OnceFunc(func() { _ = syscall.Close(socket) })
	DeferCleanup(release)
	Expect(syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})).To(Succeed())
	bound, err := syscall.Getsockname(socket)
	Expect(err).NotTo(HaveOccurred())
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port), release
}

// freeAddress is an address that nobody listens on.
func freeAddress() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	Expect(listener.Close()).To(Succeed())
	return listener.Addr().String()
}

// poller reads target Secrets all the time, as their consumers do.
type poller struct {
	mu      sync.Mutex
	expired map[string]time.Duration
	polls   int
	stop    func()
}

// startPolling polls namespaces for tokens of the stand-ins until it is stopped.
func startPolling(ctx SpecContext, namespaces []string, servers ...*standin.Server) *poller {
	polling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &poller{expired: map[string]time.Duration{}}
	done := make(chan struct{})
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	DeferCleanup(p.stop)
	go func() {
		defer close(done)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for polling.Err() == nil {
			for _, namespace := range namespaces {
				p.poll(polling, namespace, servers)
			}
			<-ticker.C
		}
	}()
	return p
}

// poll looks at the tokens of one namespace. What counts is the time before they
// were read: they may have been replaced since.
func (p *poller) poll(ctx context.Context, namespace string, servers []*standin.Server) {
	before := time.Now()
	targets, err := listTargets(ctx, namespace)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			p.expired["the API server did not answer: "+err.Error()] = 0
		}
		return
	}
	p.polls++
	for i := range targets {
		expiry := time.Time{}
		for _, server := range servers {
			if _, at, _ := server.Check(string(targets[i].Data["access_token"])); at.After(expiry) {
				expiry = at
			}
		}
		if late := before.Sub(expiry); late >= 0 {
			p.expired[namespace+"/"+targets[i].Name] = late
		}
	}
}

// expectNeverExpired ends the polling, and demands that all was well.
func (p *poller) expectNeverExpired() {
	GinkgoHelper()
	p.stop()
	Expect(p.expired).To(BeEmpty(), "Secrets that held an expired token, and for how long")
	Expect(p.polls).To(BeNumerically(">=", 50))
}
