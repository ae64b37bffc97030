package oidcprovider

import (
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
	"strings"
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
	// MutualTokenURL is the one that asks for a client certificate and takes any;
	// StrictTokenURL ends the handshake where the client CA does not vouch for it.
	// Both are empty without Options.ClientCA.
	MutualTokenURL, StrictTokenURL string
	// CABundle is the CA of its certificate in PEM; nil without TLS.
	CABundle []byte

	secret  string // of the introspector
	client  *http.Client
	command *exec.Cmd
	input   io.WriteCloser
	answers chan answer // to commands; closed when the process ends
	asking  sync.Mutex
	errors  *tail
	ended   chan struct{}
	stop    sync.Once
}

// announcement is the first thing that the process says.
type announcement struct {
	Issuer string `json:"issuer"`
	Origin string `json:"origin"`
	Mutual string `json:"mutual"`
	Strict string `json:"strict"`
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
	p := &Provider{secret: rand.Text(), answers: make(chan answer, 1), errors: &tail{}, ended: make(chan struct{})}
	config := options.settings(p.secret)
	if options.TLS {
		authority, err := NewAuthority("tokensync test CA")
		if err != nil {
			return nil, err
		}
		if config.TLS, err = authority.serverPair(); err != nil {
			return nil, err
		}
		p.CABundle = authority.Bundle
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
	defer close(p.answers)
	decoder := json.NewDecoder(output)
	var told announcement
	if err := decoder.Decode(&told); err != nil {
		started <- errors.Join(err, p.command.Wait())
		return
	}
	p.Issuer, p.TokenURL = told.Issuer, told.Issuer+"/token"
	path := strings.TrimPrefix(p.TokenURL, told.Origin)
	if told.Mutual != "" {
		p.MutualTokenURL, p.StrictTokenURL = told.Mutual+path, told.Strict+path
	}
	started <- nil
	for {
		var answered answer
		if decoder.Decode(&answered) != nil { // it ends when the process does
			break
		}
		p.answers <- answered
	}
	_ = p.command.Wait() // how it ends does not matter any more
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
