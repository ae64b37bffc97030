package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/output"
	"github.com/tokensync/tokensync/test/standin"
)

const (
	clientID     = "app_acme_news_prod"
	clientSecret = "s3cr3t"
	tenant       = "acme_news_prod"
)

// appVariable tells a process of this binary that it is the app.
const appVariable = "E2E_APP_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(appVariable) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// party is one that runs in this process until the test ends.
type party struct {
	stdout, stderr output.Log
	end            context.CancelFunc
	ended          chan struct{}
	code           int
}

func start(t *testing.T, arguments ...string) *party {
	t.Helper()
	p := &party{ended: make(chan struct{})}
	var ctx context.Context
	ctx, p.end = context.WithCancel(t.Context())
	go func() {
		defer close(p.ended)
		p.code = run(ctx, arguments, &p.stdout, &p.stderr)
	}()
	t.Cleanup(func() {
		p.end()
		<-p.ended
		if strings.Contains(p.stdout.String()+p.stderr.String(), clientSecret) {
			t.Error("the client's secret was printed")
		}
	})
	return p
}

// exit waits until the party has ended, and answers the exit code.
func (p *party) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		t.Fatalf("it goes on and on: %s", &p.stderr)
	}
	return p.code
}

// address waits until the party says where it listens, for such as `report at`.
func (p *party) address(t *testing.T, what string) string {
	t.Helper()
	line, found := regexp.MustCompile(what+` (\S+:\d+)`), []string(nil)
	eventually.Holds(t, "the party says its "+what, func() bool {
		found = line.FindStringSubmatch(p.stderr.String())
		return found != nil
	})
	return found[1]
}

// place is a provider and how it is reached.
type place struct {
	*party

	base, control, directory string
	client                   *http.Client
}

// startProvider starts a provider with a client and a certificate of its own.
func startProvider(t *testing.T, arguments ...string) *place {
	t.Helper()
	p := &place{directory: t.TempDir()}
	certify(t, p.file("tls.crt"), p.file("tls.key"))
	write(t, p.file("secret"), clientSecret+"\n")
	p.party = start(t, append([]string{
		"provider", "--listen=127.0.0.1:0", "--control=127.0.0.1:0", "--cert=" + p.file("tls.crt"), "--key=" + p.file("tls.key"),
		"--client-id=" + clientID, "--client-secret-file=" + p.file("secret"), "--tenant=" + tenant,
	}, arguments...)...)
	p.base, p.control = "https://"+p.address(t, "serves at"), "http://"+p.address(t, "control at")
	transport, err := newTransport(p.file("tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport}
	return p
}

func (p *place) file(name string) string { return filepath.Join(p.directory, name) }

// tell posts to the control port.
func (p *place) tell(t *testing.T, target string) int {
	t.Helper()
	return p.send(t, http.MethodPost, p.control+target, nil, nil).status
}

// issue asks for a token as tokensync asks Syncronex.
func (p *place) issue(t *testing.T) string {
	t.Helper()
	token, got := p.ask(t, standin.TokenPath, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {tenant}})
	if token == "" {
		t.Fatalf("no token: %s", got)
	}
	return token
}

// ask asks for a token by client credentials.
func (p *place) ask(t *testing.T, path string, form url.Values) (token string, got reply) {
	t.Helper()
	form.Set("grant_type", "client_credentials")
	got = p.send(t, http.MethodPost, p.base+path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	var told struct {
		AccessToken string `json:"access_token"`
	}
	if got.status == http.StatusOK {
		if err := json.Unmarshal(got.body, &told); err != nil {
			t.Fatal(err)
		}
	}
	return told.AccessToken, got
}

// use calls the protected service with a token, and answers the status.
func (p *place) use(t *testing.T, token string) int {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + token}}
	return p.send(t, http.MethodGet, p.base+standin.ResourcePrefix+"news", header, nil).status
}

func (p *place) send(t *testing.T, method, target string, header http.Header, body []byte) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(request.Header, header)
	got, err := exchange(p.client, request)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// read reads JSON.
func read[T any](t *testing.T, from io.Reader) (told T) {
	t.Helper()
	if err := json.NewDecoder(from).Decode(&told); err != nil {
		t.Fatal(err)
	}
	return told
}

// write writes a file as a whole, as the kubelet does.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// certify makes a certificate for 127.0.0.1 that vouches for itself.
func certify(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}
