package grant

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// ErrUnreadable says that a Secret does not hold a grant as it was written.
var ErrUnreadable = errors.New("the grant cannot be read")

// The keys of the Secret.
const (
	// KeyRecord holds all that is no secret, as JSON.
	KeyRecord = "record"
	// KeyRefreshToken holds the refresh token to send next.
	KeyRefreshToken = "refresh_token"
	// KeyAnswer holds the last answer, as JSON.
	KeyAnswer = "answer"
	// KeyCandidate holds a refresh token that has yet to prove itself.
	KeyCandidate = "candidate_refresh_token"
	// KeyLogin is where a login leaves what it has got, as JSON.
	KeyLogin = "login"
	// KeyDevice holds the device authorization that waits for a person, as JSON.
	KeyDevice = "device"
)

// Keys are all keys of the Secret.
var Keys = []string{KeyRecord, KeyRefreshToken, KeyAnswer, KeyCandidate, KeyLogin, KeyDevice}

// version is that of the format. A newer one is not touched.
const version = 1

type wireRecord struct {
	Version    int            `json:"version"`
	Cluster    string         `json:"cluster"`
	Credential string         `json:"credential"`
	Chain      *wireChain     `json:"chain,omitempty"`
	Candidate  *wireCandidate `json:"candidate,omitempty"`
	Attempt    *wireAttempt   `json:"attempt,omitempty"`
	Used       []string       `json:"used,omitempty"`
	Former     []string       `json:"former,omitempty"`
	TakenUp    string         `json:"takenUp,omitempty"`
}

type wireChain struct {
	ID         string    `json:"id"`
	StartedAt  time.Time `json:"startedAt"`
	RotatedAt  time.Time `json:"rotatedAt"`
	Generation int64     `json:"generation"`
	ExpiresAt  time.Time `json:"expiresAt,omitzero"`
	Renews     bool      `json:"renews,omitempty"`
	Consent    string    `json:"consent,omitempty"`
	Lost       bool      `json:"lost,omitempty"`
	Unanswered time.Time `json:"unanswered,omitzero"`
}

type wireCandidate struct {
	Hash       string    `json:"hash"`
	Failed     bool      `json:"failed,omitempty"`
	Unanswered time.Time `json:"unanswered,omitzero"`
}

type wireAttempt struct {
	ID         string    `json:"id"`
	Kind       Kind      `json:"kind"`
	Owner      Owner     `json:"owner"`
	Chain      string    `json:"chain"`
	Generation int64     `json:"generation"`
	Since      time.Time `json:"since"`
}

type wireLogin struct {
	ID           string          `json:"id"`
	Credential   string          `json:"credential"`
	At           time.Time       `json:"at"`
	Consent      string          `json:"consent,omitempty"`
	Code         string          `json:"code,omitempty"`
	Verifier     string          `json:"codeVerifier,omitempty"`
	RedirectURI  string          `json:"redirectURI,omitempty"`
	RefreshToken string          `json:"refreshToken,omitempty"`
	ExpiresAt    time.Time       `json:"expiresAt,omitzero"`
	Answer       json.RawMessage `json:"answer,omitempty"`
}

type wireDevice struct {
	DeviceCode              string    `json:"deviceCode"`
	UserCode                string    `json:"userCode"`
	VerificationURI         string    `json:"verificationURI"`
	VerificationURIComplete string    `json:"verificationURIComplete,omitempty"`
	ExpiresAt               time.Time `json:"expiresAt"`
	IntervalSeconds         int64     `json:"intervalSeconds"`
	PollAt                  time.Time `json:"pollAt,omitzero"`
	Consent                 string    `json:"consent,omitempty"`
	Count                   int       `json:"count"`
	Declined                bool      `json:"declined,omitempty"`
}

// Encode is the data of the Secret that holds a record. A key that is absent has no
// place in it.
func (r *Record) Encode() (map[string][]byte, error) {
	w := wireRecord{
		Version: version, Cluster: r.Cluster, Credential: r.Credential, Attempt: (*wireAttempt)(r.Attempt),
		Used: r.Used, Former: r.Former, TakenUp: r.TakenUp,
	}
	data := map[string][]byte{}
	if c := r.Chain; c != nil {
		w.Chain = &wireChain{
			ID: c.ID, StartedAt: writable(c.StartedAt), RotatedAt: writable(c.RotatedAt), Generation: c.Generation,
			ExpiresAt: writable(c.ExpiresAt), Renews: c.Renews, Consent: c.Consent, Lost: c.Lost, Unanswered: writable(c.Unanswered),
		}
		put(data, KeyRefreshToken, []byte(c.RefreshToken.Reveal()))
		put(data, KeyAnswer, c.Token.encode())
	}
	if c := r.Candidate; c != nil {
		w.Candidate = &wireCandidate{Hash: c.Hash, Failed: c.Failed, Unanswered: writable(c.Unanswered)}
		put(data, KeyCandidate, []byte(c.RefreshToken.Reveal()))
	}
	if d := r.Device; d != nil {
		if err := putJSON(data, KeyDevice, d.wire()); err != nil {
			return nil, err
		}
	}
	if r.Login != nil {
		login, err := r.Login.Encode()
		if err != nil {
			return nil, err
		}
		data[KeyLogin] = login
	}
	return data, putJSON(data, KeyRecord, w)
}

// Decode reads the data of a Secret. One with a login and nothing else is a record that
// belongs to nobody yet. A login, a device authorization or an access token that cannot be
// read is left out, because a refresh token beside it is good all the same. The error is
// ErrUnreadable.
func Decode(data map[string][]byte) (*Record, error) {
	login, err := decodeLogin(data[KeyLogin])
	if err != nil {
		login = nil
	}
	if len(data[KeyRecord]) == 0 {
		if login == nil {
			return nil, ErrUnreadable
		}
		return &Record{Login: login}, nil
	}
	var w wireRecord
	if err := unmarshal(data[KeyRecord], &w); err != nil {
		return nil, err
	}
	if w.Version != version || w.Credential == "" {
		return nil, ErrUnreadable
	}
	r := &Record{
		Cluster: w.Cluster, Credential: w.Credential, Attempt: (*Attempt)(w.Attempt),
		Used: w.Used, Former: w.Former, Login: login, TakenUp: w.TakenUp,
	}
	r.Chain = w.Chain.read(data)
	if r.Candidate, err = w.Candidate.read(data); err != nil {
		return nil, err
	}
	r.Device, _ = decodeDevice(data[KeyDevice])
	return r, nil
}

func (w *wireChain) read(data map[string][]byte) *Chain {
	if w == nil {
		return nil
	}
	token, _ := decodeToken(data[KeyAnswer])
	return &Chain{
		ID: w.ID, StartedAt: w.StartedAt, RotatedAt: w.RotatedAt, Generation: w.Generation,
		RefreshToken: redact.New(string(data[KeyRefreshToken])), ExpiresAt: w.ExpiresAt, Renews: w.Renews,
		Consent: w.Consent, Lost: w.Lost, Unanswered: w.Unanswered, Token: token,
	}
}

func (w *wireCandidate) read(data map[string][]byte) (*Candidate, error) {
	switch {
	case w == nil:
		return nil, nil //nolint:nilnil // No candidate is no error.
	case len(data[KeyCandidate]) == 0:
		return nil, ErrUnreadable
	}
	return &Candidate{
		RefreshToken: redact.New(string(data[KeyCandidate])), Hash: w.Hash, Failed: w.Failed, Unanswered: w.Unanswered,
	}, nil
}

// Encode is the value of KeyLogin.
func (l *Login) Encode() ([]byte, error) {
	return json.Marshal(wireLogin{
		ID: l.ID, Credential: l.Credential, At: writable(l.At), Consent: l.Consent,
		Code: l.Code.Reveal(), Verifier: l.Verifier.Reveal(), RedirectURI: l.RedirectURI,
		RefreshToken: l.RefreshToken.Reveal(), ExpiresAt: writable(l.ExpiresAt), Answer: l.Token.encode(),
	})
}

func decodeLogin(data []byte) (*Login, error) {
	if len(data) == 0 {
		return nil, nil //nolint:nilnil // No login is no error.
	}
	var w wireLogin
	if err := unmarshal(data, &w); err != nil {
		return nil, err
	}
	token, err := decodeToken(w.Answer)
	return &Login{
		ID: w.ID, Credential: w.Credential, At: w.At, Consent: w.Consent,
		Code: redact.New(w.Code), Verifier: redact.New(w.Verifier), RedirectURI: w.RedirectURI,
		RefreshToken: redact.New(w.RefreshToken), ExpiresAt: w.ExpiresAt, Token: token,
	}, err
}

func (d *Device) wire() wireDevice {
	return wireDevice{
		DeviceCode: d.DeviceCode.Reveal(), UserCode: d.UserCode, VerificationURI: d.VerificationURI,
		VerificationURIComplete: d.VerificationURIComplete, ExpiresAt: writable(d.ExpiresAt),
		IntervalSeconds: int64(d.Interval / time.Second), PollAt: writable(d.PollAt),
		Consent: d.Consent, Count: d.Count, Declined: d.Declined,
	}
}

func decodeDevice(data []byte) (*Device, error) {
	if len(data) == 0 {
		return nil, nil //nolint:nilnil // No device is no error.
	}
	var w wireDevice
	if err := unmarshal(data, &w); err != nil {
		return nil, err
	}
	return &Device{
		DeviceCode: redact.New(w.DeviceCode), UserCode: w.UserCode, VerificationURI: w.VerificationURI,
		VerificationURIComplete: w.VerificationURIComplete, ExpiresAt: w.ExpiresAt,
		Interval: time.Duration(w.IntervalSeconds) * time.Second, PollAt: w.PollAt,
		Consent: w.Consent, Count: w.Count, Declined: w.Declined,
	}, nil
}

// writable is an instant that JSON can hold, zero where it can hold none: what comes
// with a refresh token must not keep it from being written.
func writable(t time.Time) time.Time {
	const end = 10_000 // The first year that RFC 3339 cannot name.
	if t = t.UTC(); t.Year() < 1 || t.Year() >= end {
		return time.Time{}
	}
	return t
}

func put(data map[string][]byte, key string, value []byte) {
	if len(value) > 0 {
		data[key] = value
	}
}

func putJSON(data map[string][]byte, key string, value any) error {
	encoded, err := json.Marshal(value)
	data[key] = encoded
	return err
}
