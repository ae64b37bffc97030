package standin

import (
	"crypto/rand"
	"html"
	"net/http"
	"strings"
	"time"
)

const (
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

	// userCodeLetters are the base-20 ones of RFC 8628 section 6.1: without vowels no
	// word comes about.
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8

	// slowDown is what slow_down adds to the interval, RFC 8628 section 3.5.
	slowDown = 5 * time.Second
)

// device is a device code that was given away.
type device struct {
	clientID, scope, userCode string
	expiresAt                 time.Time
	interval                  time.Duration
	polledAt                  time.Time
	decided                   decision
	spent                     bool
}

// newUserCode draws one that is in no use. The caller holds the lock.
func (g *grants) newUserCode() string {
	for {
		text := make([]byte, 0, userCodeLength)
		for _, letter := range rand.Text()[:userCodeLength] { // base 32: the letters are not all as likely, which is no matter
			text = append(text, userCodeLetters[int(letter)%len(userCodeLetters)])
		}
		if g.deviceOf(string(text)) == nil {
			return string(text)
		}
	}
}

// deviceOf finds a device by its user code as a person writes it. The caller holds the
// lock.
func (g *grants) deviceOf(userCode string) *device {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(userCodeLetters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(userCode))
	for _, d := range g.devices {
		if d.userCode == plain {
			return d
		}
	}
	return nil
}

// startDevice answers section 3.2 of RFC 8628.
func (s *Server) startDevice(req *request, now time.Time) ([]byte, *refusal) {
	if refused := s.checkScope(req.form.get("scope")); refused != nil {
		return nil, refused
	}
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	for old, other := range s.grants.devices {
		if !now.Before(other.expiresAt.Add(s.options.DeviceLifetime)) { // until then expired_token can be told
			delete(s.grants.devices, old)
		}
	}
	name, d := rand.Text(), &device{
		clientID: req.clientID, scope: req.form.get("scope"), userCode: s.grants.newUserCode(),
		expiresAt: now.Add(s.options.DeviceLifetime), interval: s.options.DeviceInterval,
	}
	s.grants.devices[name] = d
	shown := d.userCode[:userCodeLength/2] + "-" + d.userCode[userCodeLength/2:]
	page := baseURL(req.http) + DevicePath
	body := appendString([]byte(`{"device_code":`), name)
	body = appendString(append(body, `,"user_code":`...), shown)
	body = appendString(append(body, `,"verification_uri":`...), page)
	body = appendString(append(body, `,"verification_uri_complete":`...), page+"?user_code="+shown)
	body = appendNumber(append(body, `,"expires_in":`...), int64(s.options.DeviceLifetime/time.Second), false)
	body = appendNumber(append(body, `,"interval":`...), int64(d.interval/time.Second), false)
	return append(body, '}'), nil
}

// poll answers section 3.5 of RFC 8628. Too fast is what comes sooner after the
// poll before than the interval, to which each time adds.
func (s *Server) poll(req *request, now time.Time) (grant, *refusal) {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	refuse := func(code string, outcome Outcome, problem string) (grant, *refusal) {
		return grant{}, &refusal{http.StatusBadRequest, code, "", nil, outcome, problem}
	}
	d := s.grants.devices[req.form.get("device_code")]
	if d == nil || d.clientID != req.clientID || d.spent {
		return grant{}, invalidGrant("the device code is none of ours for this client, or was used before")
	}
	early := !d.polledAt.IsZero() && now.Sub(d.polledAt) < d.interval
	d.polledAt = now
	switch {
	case !now.Before(d.expiresAt):
		return refuse("expired_token", Rejected, "the device code has expired")
	case early:
		d.interval += slowDown
		s.broken.add(PolledTooFast, "device_code", req.clientID)
		return refuse("slow_down", Pending, "the device code is polled too fast")
	case d.decided == undecided:
		return refuse("authorization_pending", Pending, "nobody has decided yet")
	case d.decided == denied:
		d.spent = true
		return refuse("access_denied", Rejected, "the person has denied it")
	}
	d.spent = true
	given, _ := s.firstGrant(d.clientID, d.scope, now)
	return given, nil
}

// ApproveDevice does what a person does who allows a device by its user code. It is
// false when there is no such code that waits for a decision.
func (s *Server) ApproveDevice(userCode string) bool {
	return s.decideDevice(userCode, allowed)
}

// DenyDevice is ApproveDevice for a person who denies it.
func (s *Server) DenyDevice(userCode string) bool {
	return s.decideDevice(userCode, denied)
}

func (s *Server) decideDevice(userCode string, decided decision) bool {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	d := s.grants.deviceOf(userCode)
	if d == nil || d.decided != undecided || !s.options.Clock().Before(d.expiresAt) {
		return false
	}
	d.decided = decided
	outcome := Consented
	if decided == denied {
		outcome = Withheld
	}
	s.total.outcomes[outcome].Add(1)
	return true
}

// serveDevicePage is where a person enters the user code.
func (s *Server) serveDevicePage(w http.ResponseWriter, r *http.Request) {
	if !isPage(w, r) {
		return
	}
	if r.Method != http.MethodPost {
		s.show(w, http.StatusOK, "Connect a device", `<form method="post"><input id="user_code" name="user_code" value="`+
			html.EscapeString(r.URL.Query().Get("user_code"))+`">`+buttons+"</form>")
		return
	}
	decided := decide(w, r)
	switch {
	case decided == undecided:
		s.show(w, http.StatusBadRequest, "Bad request", "<p>The form has no decision.</p>")
	case !s.decideDevice(r.PostFormValue("user_code"), decided):
		s.show(w, http.StatusNotFound, "Unknown code", `<p id="result">unknown</p>`)
	case decided == allowed:
		s.show(w, http.StatusOK, "Connected", `<p id="result">allowed</p>`)
	default:
		s.show(w, http.StatusOK, "Denied", `<p id="result">denied</p>`)
	}
}
