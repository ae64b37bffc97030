package oidcprovider

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"sync"
	"time"
)

const (
	startTimeout = time.Minute
	stopTimeout  = 5 * time.Second
)

// Provider is a running authorization server.
type Provider struct {
	// Issuer is its issuer identifier and base URL.
	Issuer string
	// TokenURL is its token endpoint.
	TokenURL string
	// CABundle is the CA of its certificate in PEM; nil without TLS.
	CABundle []byte

	secret  string // of the introspector
	client  *http.Client
	command *exec.Cmd
	input   io.Closer
	errors  *tail
	ended   chan struct{}
	stop    sync.Once
}

// Start installs the server if need be, starts it and waits until it listens.
func Start(ctx context.Context, options Options) (*Provider, error) {
	options = options.withDefaults()
	if err := checkNode(ctx); err != nil {
		return nil, err
	}
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	if err := install(ctx, dir, options.Log); err != nil {
		return nil, err
	}
	p := &Provider{secret: rand.Text(), errors: &tail{}, ended: make(chan struct{})}
	config := options.settings(p.secret)
	if options.TLS {
		if p.CABundle, config.TLS, err = newCertificate(); err != nil {
			return nil, err
		}
	}
	p.client = newHTTPClient(p.CABundle)
	if err := p.run(ctx, dir, config); err != nil {
		return nil, err
	}
	return p, nil
}

// newHTTPClient trusts the private CA and uses no proxy.
func newHTTPClient(ca []byte) *http.Client {
	transport := &http.Transport{}
	if ca != nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: startTimeout}
}

// run starts the child process and learns from it where it listens.
func (p *Provider) run(ctx context.Context, dir string, config settings) error {
	line, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("encode the settings: %w", err)
	}
	p.command = exec.CommandContext(ctx, "node", "server.mjs")
	p.command.Dir = dir
	p.command.Stderr = p.errors
	p.command.WaitDelay = stopTimeout
	input, err := p.command.StdinPipe()
	if err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	p.input = input
	output, err := p.command.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	started := make(chan error, 1)
	go p.watch(output, started)
	_, writeErr := input.Write(append(line, '\n')) // when it fails, the process has said why
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case err = <-started:
	case <-timer.C:
		err = errors.New("it does not listen")
	}
	if err != nil {
		p.Stop()
		return fmt.Errorf("start oidc-provider: %w\n%s", errors.Join(err, writeErr), p.errors)
	}
	return nil
}

// watch reads what the process says until it ends.
func (p *Provider) watch(output io.Reader, started chan<- error) {
	defer close(p.ended)
	reader := bufio.NewReader(output)
	var announcement struct {
		Issuer string `json:"issuer"`
	}
	line, err := reader.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &announcement)
	}
	p.Issuer, p.TokenURL = announcement.Issuer, announcement.Issuer+"/token"
	if err != nil {
		started <- errors.Join(err, p.command.Wait())
		return
	}
	started <- nil
	_, _ = io.Copy(io.Discard, reader) // it ends when the process does
	_ = p.command.Wait()               // how it ends does not matter any more
}

// Stop ends the server and waits until it is gone.
func (p *Provider) Stop() {
	p.stop.Do(func() {
		_ = p.input.Close() // this is how the process learns that it may go
		timer := time.NewTimer(stopTimeout)
		defer timer.Stop()
		select {
		case <-p.ended:
		case <-timer.C:
			_ = p.command.Process.Kill() // it has gone meanwhile, or goes now
			<-p.ended
		}
		p.client.CloseIdleConnections()
	})
}

// Errors is the end of what the server wrote to standard error.
func (p *Provider) Errors() string {
	return p.errors.String()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const longestTail = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if excess := len(t.text) - longestTail; excess > 0 {
		t.text = bytes.Clone(t.text[excess:])
	}
	return len(text), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
