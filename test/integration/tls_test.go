package integration_test

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
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// authority is a certificate authority of a company's own.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// bundle is the certificate in PEM.
	bundle string
}

func newAuthority() *authority {
	GinkgoHelper()
	a := &authority{}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "Example CA"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	Expect(err).NotTo(HaveOccurred())
	a.certificate, err = x509.ParseCertificate(raw)
	Expect(err).NotTo(HaveOccurred())
	a.bundle = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	return a
}

// serve serves a handler under a certificate of the authority, until the spec ends.
func (a *authority) serve(handler http.Handler) string {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "login.example.com"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	DeferCleanup(server.Close)
	return server.URL + standin.TokenPath
}

var _ = DescribeTable("a provider with a private CA is trusted by", func(ctx SpecContext, kind, key, manifest string) {
	t, ca := newTenant(ctx, oauth(time.Minute)), newAuthority()
	t.url = ca.serve(t.provider)
	indented := strings.ReplaceAll(strings.TrimSpace(ca.bundle), "\n", "\n    ")
	t.apply(ctx, "apiVersion: v1\nkind: "+kind+"\nmetadata: {name: company-ca}\n"+manifest+":\n  "+key+": |\n    "+indented+"\n")
	t.endpoint = "tls: {caRef: {kind: " + kind + ", name: company-ca, key: " + key + "}}, "
	t.declare(ctx, "acme")
	t.ready(ctx, "acme")

	By("asking for nothing when the bundle changes")
	t.edit(ctx, kind, "company-ca", manifest+": {other: added}")
	t.asked(ctx, "acme", 1)
},
	Entry("a bundle in a ConfigMap", "ConfigMap", "ca-bundle.pem", "data"),
	Entry("a bundle in a Secret", "Secret", "ca.crt", "stringData"),
)

var _ = It("trusts a provider with a private CA as soon as the bundle is there", func(ctx SpecContext) {
	t, ca, wrong := newTenant(ctx, oauth(time.Minute)), newAuthority(), newAuthority()
	t.url = ca.serve(t.provider)
	bundle := func(a *authority) string {
		return "data:\n  ca.crt: |\n    " + strings.ReplaceAll(strings.TrimSpace(a.bundle), "\n", "\n    ")
	}
	head := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: company-ca}\n"
	t.endpoint = "tls: {caRef: {kind: ConfigMap, name: company-ca, key: ca.crt}}, "
	t.declare(ctx, "acme")
	Eventually(ctx, t.state("acme")).Should(Equal("Ready=False Reconciling=True Stalled=False SourceSecretMissing"))
	t.apply(ctx, head+bundle(wrong))
	Eventually(ctx, t.state("acme")).Should(Equal("Ready=False Reconciling=True Stalled=False ProviderUnreachable"))
	t.apply(ctx, head+bundle(ca))
	Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(good))
	Expect(t.requests("acme")()).To(BeEquivalentTo(1))
})
