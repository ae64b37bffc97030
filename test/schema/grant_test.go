package schema_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// The grant types with a block of their own, and the blocks.
const (
	jwtBearer     = "'urn:ietf:params:oauth:grant-type:jwt-bearer'"
	tokenExchange = "'urn:ietf:params:oauth:grant-type:token-exchange'"
	deviceCode    = "'urn:ietf:params:oauth:grant-type:device_code'"

	jwtBearerBlock     = "jwtBearer: {privateKeyRef: {name: app, key: key.json}}"
	tokenExchangeBlock = "tokenExchange: {subjectToken: {secretKeyRef: {name: a, key: token}}, subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt'}"
	passwordBlock      = "password: {username: app, passwordRef: {name: app, key: password}}"
	refreshTokenBlock  = "refreshToken: {bootstrapRef: {name: app, key: refresh_token}}"
	codeBlock          = "authorizationCode: {redirectURI: http://127.0.0.1/callback}"
)

const (
	jwtBearerMessage     = "the grant type urn:ietf:params:oauth:grant-type:jwt-bearer and the block jwtBearer belong together: set both, or none"
	tokenExchangeMessage = "the grant type urn:ietf:params:oauth:grant-type:token-exchange and the block tokenExchange belong together: set both, or none"
	passwordMessage      = "the grant type password and the block password belong together: set both, or none"
	refreshTokenMessage  = "the grant type refresh_token and the block refreshToken belong together: set both, or none"
	codeMessage          = "the block authorizationCode belongs to the grant type authorization_code: set that, or remove the block"
)

var _ = DescribeTable("spec.grantType", within(judge, "spec: {grantType: %s}", ""),
	Entry("takes client_credentials", "client_credentials", accepted()),
	Entry("takes one of a provider's own", "account_credentials", accepted()),
	Entry("takes a URN", "urn:example:grant", accepted()),
	Entry("takes 256 characters", strings.Repeat("a", 256), accepted()),
	Entry("refuses 257", strings.Repeat("a", 257), refused("spec.grantType", "Too long", "256")),
	Entry("refuses an empty one", `""`, refused("spec.grantType", "at least 1 chars")),
	Entry("refuses a space", "client credentials",
		refused("spec.grantType", "must be the name of a grant type, such as client_credentials: without space or character beyond ASCII")),
	Entry("refuses a line break", quote("client_credentials\n"), refused("spec.grantType", "must be the name of a grant type")),
	Entry("refuses an umlaut", "vergünstigung", refused("spec.grantType", "must be the name of a grant type")),
	Entry("takes authorization_code alone", "authorization_code", accepted()),
	Entry("takes the device grant alone", deviceCode, accepted()),
	Entry("refuses refresh_token alone", "refresh_token", refused("spec", refreshTokenMessage)),
	Entry("refuses jwt-bearer alone", jwtBearer, refused("spec", jwtBearerMessage)),
	Entry("refuses token-exchange alone", tokenExchange, refused("spec", tokenExchangeMessage)),
	Entry("refuses password alone", "password", refused("spec", passwordMessage)),
)

var _ = Describe("grant types and their blocks", func() {
	blocks := map[string]string{
		jwtBearer: jwtBearerBlock, tokenExchange: tokenExchangeBlock, "password": passwordBlock,
		"refresh_token": refreshTokenBlock, "authorization_code": codeBlock,
	}
	messages := map[string]string{
		jwtBearer: jwtBearerMessage, tokenExchange: tokenExchangeMessage, "password": passwordMessage,
		"refresh_token": refreshTokenMessage, "authorization_code": codeMessage,
	}

	It("go together", func(ctx SpecContext) {
		for grant, block := range blocks {
			judge(ctx, fmt.Sprintf("spec: {grantType: %s, %s}", grant, block), accepted())
		}
	})

	It("go with nothing else", func(ctx SpecContext) {
		for _, grant := range slices.Concat([]string{"client_credentials", "urn:example:grant", deviceCode}, slices.Sorted(maps.Keys(blocks))) {
			for other, block := range blocks {
				if other == grant {
					continue
				}
				want := refused("spec", messages[other])
				judge(ctx, fmt.Sprintf("spec: {grantType: %s, %s}", grant, block), want)
				if own, ok := blocks[grant]; ok {
					judge(ctx, fmt.Sprintf("spec: {grantType: %s, %s, %s}", grant, own, block), want)
				}
			}
		}
	})

	It("do not go with the grant type that is the default", func(ctx SpecContext) {
		judge(ctx, fmt.Sprintf("spec: {%s}", passwordBlock), refused("spec", passwordMessage))
		judge(ctx, fmt.Sprintf("spec: {%s}", jwtBearerBlock), refused("spec", jwtBearerMessage))
		judge(ctx, fmt.Sprintf("spec: {%s}", refreshTokenBlock), refused("spec", refreshTokenMessage))
		judge(ctx, fmt.Sprintf("spec: {%s}", codeBlock), refused("spec", codeMessage))
	})
})

// grant judges a block of a grant.
func grant(name, block string) func(SpecContext, string, verdict) {
	return within(judge, "spec: {grantType: "+name+", "+block+": %s}", "spec."+block)
}

const (
	key            = "privateKeyRef: {name: app, key: key.pem}"
	account        = "serviceAccount: {name: app, audience: a}"
	clusterMessage = "the token of a ServiceAccount is signed by the cluster: set serviceAccount.audience, and remove all else"
	claimsMessage  = "iss, sub, aud, iat, exp and jti are set by issuer, subject, audience and lifetime: remove them"
)

var _ = DescribeTable("spec.jwtBearer", grant(jwtBearer, "jwtBearer"),
	Entry("takes a private key", "{"+key+"}", accepted()),
	Entry("takes a ServiceAccount", "{"+account+"}", accepted()),
	Entry("takes all that an assertion says", "{"+key+", issuer: a, subject: b, audience: c, algorithm: PS512, keyID: d, lifetime: 1h, claims: {scope: '\"a\"'}}", accepted()),
	Entry("refuses neither", "{}", refused("", "exactly one of the fields in [privateKeyRef serviceAccount] must be set")),
	Entry("refuses both", "{"+key+", "+account+"}", refused("", "exactly one of the fields in [privateKeyRef serviceAccount] must be set")),
	Entry("refuses to sign for a ServiceAccount", "{"+account+", algorithm: RS256}", refused("", clusterMessage)),
	Entry("refuses an issuer beside a ServiceAccount", "{"+account+", issuer: a}", refused("", clusterMessage)),
	Entry("refuses a subject beside a ServiceAccount", "{"+account+", subject: a}", refused("", clusterMessage)),
	Entry("refuses an audience beside a ServiceAccount", "{"+account+", audience: a}", refused("", clusterMessage)),
	Entry("refuses a key id beside a ServiceAccount", "{"+account+", keyID: a}", refused("", clusterMessage)),
	Entry("refuses a lifetime beside a ServiceAccount", "{"+account+", lifetime: 1m}", refused("", clusterMessage)),
	Entry("refuses claims beside a ServiceAccount", "{"+account+", claims: {a: '1'}}", refused("", clusterMessage)),
	Entry("refuses the algorithm of a secret", "{"+key+", algorithm: HS256}",
		refused("", "the assertion is signed with a private key, which HS256, HS384 and HS512 do not take: choose another algorithm")),
	Entry("refuses an algorithm that is not known", "{"+key+", algorithm: none}", refused(".algorithm", algorithms)),
	Entry("refuses a short life", "{"+key+", lifetime: 9s}", refused(".lifetime", "must be a duration between 10s and 1h, such as 60s or 5m")),
	Entry("refuses a long one", "{"+key+", lifetime: 2h}", refused(".lifetime", "must be a duration between 10s and 1h")),
	Entry("refuses an empty subject", "{"+key+", subject: ''}", refused(".subject", "at least 1 chars")),
	Entry("refuses a long issuer", "{"+key+", issuer: "+strings.Repeat("a", 2049)+"}", refused(".issuer", "Too long", "2048")),
	Entry("takes claims with names of the user's own", "{"+key+", claims: {'https://example.com/role': '1', nbf: now}}", accepted()),
	Entry("takes 64 claims", "{"+key+", claims: {"+entries(64, "c%d: '1'")+"}}", accepted()),
	Entry("refuses 65", "{"+key+", claims: {"+entries(65, "c%d: '1'")+"}}", refused(".claims", "Too many", "at most 64")),
	Entry("refuses a claim without a name", "{"+key+", claims: {'': '1'}}", refused(".claims", claimsMessage)),
	Entry("refuses the claim exp", "{"+key+", claims: {exp: '1'}}", refused(".claims", claimsMessage)),
	Entry("refuses the claim aud", "{"+key+", claims: {a: '1', aud: '1'}}", refused(".claims", claimsMessage)),
	Entry("refuses a claim that is no expression", "{"+key+", claims: {a: 1}}", refused(".claims.a", `must be of type string: "integer"`)),
	Entry("refuses an empty claim", "{"+key+", claims: {a: ''}}", refused(".claims.a", "at least 1 chars")),
)

const (
	subject      = "subjectToken: {secretKeyRef: {name: a, key: token}}, subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt'"
	actor        = "actorToken: {serviceAccount: {name: app, audience: a}}"
	actorMessage = "actorToken and actorTokenType belong together (RFC 8693 section 2.1): set both, or none"
)

var _ = DescribeTable("spec.tokenExchange", grant(tokenExchange, "tokenExchange"),
	Entry("takes a subject", "{"+subject+"}", accepted()),
	Entry("takes an actor", "{"+subject+", "+actor+", actorTokenType: a}", accepted()),
	Entry("takes the type of the new token", "{"+subject+", requestedTokenType: a}", accepted()),
	Entry("needs a subject", "{subjectTokenType: a}", refused(".subjectToken", "Required value")),
	Entry("needs a subject that is there", "{subjectToken: {}, subjectTokenType: a}",
		refused(".subjectToken", "exactly one of the fields in [secretKeyRef serviceAccount] must be set")),
	Entry("needs one subject", "{subjectToken: {secretKeyRef: {name: a, key: b}, "+account+"}, subjectTokenType: a}",
		refused(".subjectToken", "exactly one of the fields in [secretKeyRef serviceAccount] must be set")),
	Entry("needs the type of the subject", "{subjectToken: {secretKeyRef: {name: a, key: b}}}", refused(".subjectTokenType", "Required value")),
	Entry("needs a type that is not empty", "{subjectToken: {secretKeyRef: {name: a, key: b}}, subjectTokenType: ''}",
		refused(".subjectTokenType", "at least 1 chars")),
	Entry("refuses an actor without a type", "{"+subject+", "+actor+"}", refused("", actorMessage)),
	Entry("refuses the type of no actor", "{"+subject+", actorTokenType: a}", refused("", actorMessage)),
	Entry("refuses an empty actor", "{"+subject+", actorToken: {}, actorTokenType: a}",
		refused(".actorToken", "exactly one of the fields in [secretKeyRef serviceAccount] must be set")),
	Entry("refuses a long type", "{"+subject+", requestedTokenType: "+strings.Repeat("a", 2049)+"}", refused(".requestedTokenType", "Too long", "2048")),
)

var _ = DescribeTable("spec.password", grant("password", "password"),
	Entry("takes a user name", "{username: 'Büro 1', passwordRef: {name: a, key: b}}", accepted()),
	Entry("takes one from a Secret", "{usernameRef: {name: a, key: a}, passwordRef: {name: a, key: b}}", accepted()),
	Entry("needs a user name", "{passwordRef: {name: a, key: b}}", refused("", "exactly one of the fields in [username usernameRef] must be set")),
	Entry("needs one user name", "{username: a, usernameRef: {name: a, key: a}, passwordRef: {name: a, key: b}}",
		refused("", "exactly one of the fields in [username usernameRef] must be set")),
	Entry("needs one that is not empty", "{username: '', passwordRef: {name: a, key: b}}", refused(".username", "at least 1 chars")),
	Entry("needs a password", "{username: a}", refused(".passwordRef", "Required value")),
	Entry("needs a password in the key of a Secret", "{username: a, passwordRef: {name: a}}", refused(".passwordRef.key", "Required value")),
	Entry("refuses the password itself", "{username: a, passwordRef: hunter2}", refused(".passwordRef", `must be of type object: "string"`)),
)
