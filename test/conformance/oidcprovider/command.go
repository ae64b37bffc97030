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
		Count  bool            `json:"count,omitempty"`
	}
	answer struct {
		Error  string  `json:"error"`
		Counts *Counts `json:"counts"`
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

// Counts is what has become of refresh tokens so far.
type Counts struct {
	// Refreshed counts those that were used well.
	Refreshed int `json:"refreshed"`
	// Reused counts those that came a second time.
	Reused int `json:"reused"`
	// Revoked counts the logins that were ended, by that or by the client.
	Revoked int `json:"revoked"`
}

// Counts asks the server what it has counted.
func (p *Provider) Counts() (Counts, error) {
	answered, err := p.ask(command{Count: true})
	if err != nil {
		return Counts{}, err
	}
	if answered.Counts == nil {
		return Counts{}, errors.New("the server has not counted")
	}
	return *answered.Counts, nil
}

// tell gives the process a command and waits until it has obeyed.
func (p *Provider) tell(c command) error {
	_, err := p.ask(c)
	return err
}

// ask is tell with the answer.
func (p *Provider) ask(c command) (answer, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return answer{}, fmt.Errorf("encode the command: %w", err)
	}
	p.asking.Lock()
	defer p.asking.Unlock()
	if _, err := p.input.Write(append(line, '\n')); err != nil {
		return answer{}, fmt.Errorf("tell the server: %w", err)
	}
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case answered, ok := <-p.answers:
		if !ok {
			return answer{}, errors.New("the server has ended")
		}
		if answered.Error != "" {
			return answer{}, errors.New(answered.Error)
		}
		return answered, nil
	case <-timer.C:
		return answer{}, errors.New("the server does not answer")
	}
}
