package oauth

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

const (
	// defaultDeviceLife is how long a device code lives whose answer does not say,
	// maxDeviceLife the longest that is believed.
	defaultDeviceLife = 15 * time.Minute
	maxDeviceLife     = time.Hour
	// defaultInterval is that of RFC 8628 section 3.2.
	defaultInterval = 5 * time.Second
	minInterval     = time.Second
	maxInterval     = time.Minute
)

// DeviceAuthorization is the answer of a device authorization endpoint (RFC 8628
// section 3.2). All but the device code is for the person who is to approve, and
// fit to be shown.
type DeviceAuthorization struct {
	// DeviceCode is the parameter device_code of the grant in a Request with the
	// grant type urn:ietf:params:oauth:grant-type:device_code.
	DeviceCode redact.String
	// UserCode is what the person enters at VerificationURI.
	UserCode string
	// VerificationURI is an absolute URL, https unless Options.AllowInsecureHTTP.
	VerificationURI string
	// VerificationURIComplete has the user code in it already. It is empty where the
	// answer has none that could be opened as VerificationURI can.
	VerificationURIComplete string
	// ExpiresIn is how long the codes live, from 1 s to 1 h; 15 min where the answer
	// does not say.
	ExpiresIn time.Duration
	// Interval is the least time between two requests for a token, from 1 s to
	// 1 min; 5 s where the answer does not say.
	Interval time.Duration
	// Sent is just before the request went out, by Options.Now.
	Sent time.Time
}

// DeviceAuthorization asks for a code that a person enters at another device (RFC
// 8628 section 3.1), with exactly one HTTP request. r.TokenURL is the device
// authorization endpoint. All else of r is as for Token, only that GrantType, Grant
// and Assertion are not sent, and that r.Response matters to errors alone. An
// audience of r.Client should be set: else it is that endpoint. Every error is an
// *Error, as that of Token is.
//
// The token is then asked for with Token, whose errors are of KindPending for as
// long as nobody has decided.
func (c *Client) DeviceAuthorization(ctx context.Context, r Request) (*DeviceAuthorization, error) {
	r.GrantType, r.Grant, r.Assertion = grantDeviceCode, nil, nil
	r.OmitParameters = append(slices.Clone(r.OmitParameters), "grant_type")

	var device *DeviceAuthorization

	x := &exchange{role: roleDevice, request: r}

	err := c.ask(ctx, x, func(resp *http.Response) (err error) {
		device, err = x.readDevice(resp, c.insecure)

		return err
	})
	if err != nil {
		return nil, err
	}

	device.Sent = x.sent

	return device, nil
}

// readDevice reads an answer of a device authorization endpoint.
func (x *exchange) readDevice(resp *http.Response, insecure bool) (*DeviceAuthorization, error) {
	r, wrong, err := x.open(resp)
	if err != nil {
		return nil, err
	}

	var device *DeviceAuthorization

	if wrong == "" {
		device, wrong = parseDevice(r.fields, insecure, x.request.Client.Secret)
	}

	if wrong != "" {
		return nil, x.failure(resp, r, wrong)
	}

	return device, nil
}

// parseDevice makes a DeviceAuthorization of a 2xx. Nothing that is shown may have
// the device code in it, or the secret.
func parseDevice(f fields, insecure bool, secret redact.String) (*DeviceAuthorization, problem) {
	code := f.text("device_code")
	if code == "" || !clean(code) {
		return nil, "has no device_code"
	}

	scrubber := redact.NewScrubber(redact.New(code), secret)
	device := &DeviceAuthorization{
		DeviceCode: redact.New(code),
		UserCode:   strings.TrimSpace(f.text("user_code")),
		ExpiresIn:  secondsOf(f["expires_in"], defaultDeviceLife, time.Second, maxDeviceLife),
		Interval:   secondsOf(f["interval"], defaultInterval, minInterval, maxInterval),
	}

	if device.UserCode == "" {
		return nil, "has no user_code"
	}

	if scrubber.Clean(device.UserCode) != device.UserCode {
		return nil, "has a user_code that cannot be shown"
	}

	// Google's name of it is older than the RFC.
	shown := firstOf(f, "verification_uri", "verification_url")
	if shown == nil {
		return nil, "has no verification_uri"
	}

	var ok bool
	if device.VerificationURI, ok = pageOf(shown, insecure, scrubber); !ok {
		return nil, "has a verification_uri that is not an absolute https URL, or cannot be shown"
	}

	device.VerificationURIComplete, _ = pageOf(f["verification_uri_complete"], insecure, scrubber)

	return device, ""
}

// pageOf returns a URL that a person may be sent to. It must be as printable as it
// is: what would be dropped to show it could make it look like another.
func pageOf(value any, insecure bool, scrubber *redact.Scrubber) (string, bool) {
	raw, _ := value.(string)
	u, err := url.Parse(raw)

	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil || !isPort(u.Port()):
		return "", false
	case u.Scheme != "https" && (u.Scheme != "http" || !insecure):
		return "", false
	case strings.ContainsFunc(raw, isUnsafe) || scrubber.Clean(raw) != raw:
		return "", false
	default:
		return raw, true
	}
}

// isUnsafe tells whether a character has no place in a URL (RFC 3986 section 2), so
// that programs differ in what they make of it.
func isUnsafe(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r)
}

// secondsOf reads a positive number of seconds, also one that is text, within
// bounds. Anything else gives the fallback.
func secondsOf(value any, fallback, least, most time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(textOf(value), 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 {
		return fallback
	}

	if seconds >= most.Seconds() {
		return most
	}

	return max(time.Duration(seconds*float64(time.Second)), least)
}
