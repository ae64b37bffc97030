package oidcprovider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	validity   = 24 * time.Hour
	serialBits = 64
)

// Authority is a private certificate authority. That of no key has every certificate
// signed by its own key.
type Authority struct {
	// Bundle is its certificate in PEM.
	Bundle []byte

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Pair is a certificate and its private key, both in PEM, as a TLS Secret has them.
type Pair struct {
	Certificate, Key []byte
}

// NewAuthority makes an authority of that common name.
func NewAuthority(name string) (*Authority, error) {
	template, err := newTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.KeyUsage, template.BasicConstraintsValid, template.IsCA = x509.KeyUsageCertSign, true, true
	key, der, err := (&Authority{}).certify(template)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &Authority{Bundle: encode("CERTIFICATE", der), certificate: certificate, key: key}, nil
}

// ClientPair issues a certificate for a client.
func (a *Authority) ClientPair(subject pkix.Name, dnsNames ...string) (*Pair, error) {
	template, err := newTemplate(subject)
	if err != nil {
		return nil, err
	}
	template.DNSNames, template.ExtKeyUsage = dnsNames, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.pair(template)
}

// SelfSignedPair makes a certificate for a client that vouches for itself alone.
func SelfSignedPair(subject pkix.Name) (*Pair, error) {
	return (&Authority{}).ClientPair(subject)
}

// serverPair issues a certificate for loopback.
func (a *Authority) serverPair() (*tlsSettings, error) {
	template, err := newTemplate(pkix.Name{CommonName: "127.0.0.1"})
	if err != nil {
		return nil, err
	}
	template.IPAddresses, template.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	pair, err := a.pair(template)
	if err != nil {
		return nil, err
	}
	return &tlsSettings{Certificate: string(pair.Certificate), Key: string(pair.Key)}, nil
}

// pair makes a key, and a certificate of the template for it.
func (a *Authority) pair(template *x509.Certificate) (*Pair, error) {
	key, der, err := a.certify(template)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	return &Pair{Certificate: encode("CERTIFICATE", der), Key: encode("PRIVATE KEY", encoded)}, nil
}

// certify makes a key and a certificate of the template for it.
func (a *Authority) certify(template *x509.Certificate) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	parent, signer := a.certificate, a.key
	if signer == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	return key, der, nil
}

// newTemplate is what all certificates have in common.
func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: subject, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validity),
	}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
