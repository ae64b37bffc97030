package serviceaccount

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Identity is what the operator's own token says.
type Identity struct {
	// Issuer and Audiences are those of the cluster.
	Issuer    string
	Audiences []string
	// Subject is `system:serviceaccount:<namespace>:<name>`.
	Subject string
}

// ReadIdentity reads the operator's own token; empty where that is no JWT. The
// signature is not looked at: the token comes from the kubelet.
func ReadIdentity(token string) Identity {
	claims, _ := readClaims(token)
	return Identity{Issuer: claims.Issuer, Audiences: claims.Audience, Subject: claims.Subject}
}

// check refuses the operator's own ServiceAccount and the cluster's own audiences.
func (own Identity) check(namespace string, ref v1alpha1.ServiceAccountToken) error {
	switch {
	case own.Subject == "system:serviceaccount:"+namespace+":"+ref.Name:
		return refuse("the ServiceAccount %q is tokensync's own: use another", ref.Name)
	case ref.Audience == own.Issuer, slices.Contains(own.Audiences, ref.Audience):
		return refuseAudience(ref)
	}
	return nil
}

// claims are those of a ServiceAccount's token (RFC 7519 section 4.1).
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
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

func readClaims(token string) (claims, bool) {
	var found claims
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return found, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &found) != nil {
		return claims{}, false
	}
	return found, true
}
