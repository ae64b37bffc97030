package oauth

// role is what an endpoint is for.
type role int

// The roles. The zero role is that of most requests.
const (
	roleToken         role = iota // RFC 6749 section 3.2
	roleAuthorization             // RFC 6749 section 3.1
	roleDevice                    // RFC 8628 section 3.1
	roleRevocation                // RFC 7009 section 2
	roleIssuer                    // RFC 8414 section 3
)

// name returns what messages call the endpoint.
func (r role) name() string {
	switch r {
	case roleAuthorization:
		return "authorization endpoint"
	case roleDevice:
		return "device authorization endpoint"
	case roleRevocation:
		return "revocation endpoint"
	case roleIssuer:
		return "issuer"
	case roleToken:
	}

	return "token endpoint"
}

// field names what led to the endpoint, as users set it.
func (r role) field() string {
	switch r {
	case roleAuthorization:
		return "authorizationURL"
	case roleDevice:
		return "deviceAuthorizationURL"
	case roleRevocation:
		return "revocationURL"
	case roleIssuer:
		return "issuer"
	case roleToken:
	}

	return "tokenURL"
}
