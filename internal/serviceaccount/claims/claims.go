// Package claims reads what the token of a ServiceAccount says of itself.
package claims

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Claims are those of a ServiceAccount's token (RFC 7519 section 4.1).
type Claims struct {
	Issuer    string
	Audiences []string
	// Subject is `system:serviceaccount:<namespace>:<name>`.
	Subject string
}

// Read reads a token, and answers false where that is no JWT in its compact form. The
// signature is not looked at: the token comes from the kubelet, and whoever is shown it
// looks at that.
func Read(token string) (Claims, bool) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return Claims{}, false
	}
	var found struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience audience `json:"aud"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &found) != nil {
		return Claims{}, false
	}
	return Claims{Issuer: found.Issuer, Audiences: found.Audience, Subject: found.Subject}, true
}

// Account is the ServiceAccount that the subject names, and false where it is somebody
// else.
func (c Claims) Account() (namespace, name string, ok bool) {
	account, ok := strings.CutPrefix(c.Subject, "system:serviceaccount:")
	if !ok {
		return "", "", false
	}
	return strings.Cut(account, ":")
}

// audience is a text or a list of texts.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}
