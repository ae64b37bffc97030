package oidcprovider

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// command is what server.mjs does while it runs, and answer what it says then.
type (
	command struct {
		Client *clientSettings `json:"client,omitempty"`
		TLS    *tlsSettings    `json:"tls,omitempty"`
	}
	answer struct {
		Error string `json:"error"`
	}
)

// Register adds a client, or puts it in the place of the one with its ID.
func (p *Provider) Register(client Client) error {
	return p.tell(command{Client: new(clientSettings(client))})
}

// RenewCertificate has the server present a certificate of another CA to all who
// connect from now on, and returns that CA in PEM. Introspect and Verify trust it.
func (p *Provider) RenewCertificate() ([]byte, error) {
	authority, err := NewAuthority("another tokensync test CA")
	if err != nil {
		return nil, err
	}
	pair, err := authority.serverPair()
	if err != nil {
		return nil, err
	}
	if err := p.tell(command{TLS: pair}); err != nil {
		return nil, err
	}
	p.client.CloseIdleConnections()
	p.client = newHTTPClient(authority.Bundle)
	return authority.Bundle, nil
}

// tell gives the process a command and waits until it has obeyed.
func (p *Provider) tell(c command) error {
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the command: %w", err)
	}
	p.asking.Lock()
	defer p.asking.Unlock()
	if _, err := p.input.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("tell the server: %w", err)
	}
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case answered, ok := <-p.answers:
		if !ok {
			return errors.New("the server has ended")
		}
		if answered.Error != "" {
			return errors.New(answered.Error)
		}
		return nil
	case <-timer.C:
		return errors.New("the server does not answer")
	}
}
