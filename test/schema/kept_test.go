package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

var _ = DescribeTable("spec.refreshToken", grant("refresh_token", "refreshToken"),
	Entry("takes the key of a Secret", "{bootstrapRef: {name: app, key: refresh_token}}", accepted()),
	Entry("needs one", "{}", refused(".bootstrapRef", "Required value")),
	Entry("needs the key", "{bootstrapRef: {name: app}}", refused(".bootstrapRef.key", "Required value")),
	Entry("needs the name", "{bootstrapRef: {key: refresh_token}}", refused(".bootstrapRef.name", "Required value")),
	Entry("refuses the refresh token itself", "{bootstrapRef: r3fr3sh}", refused(".bootstrapRef", `must be of type object: "string"`)),
	Entry("refuses to be the refresh token", "r3fr3sh", refused("", `must be of type object: "string"`)),
)

var _ = DescribeTable("spec.authorizationCode", grant("authorization_code", "authorizationCode"),
	Entry("may say nothing", "{}", accepted()),
	Entry("may be there", "null", accepted()),
)

const redirectMessage = "must be a http:// URL of the loopback interface, such as http://127.0.0.1/callback or " +
	"http://localhost:8400/callback, without query and fragment"

var _ = DescribeTable("spec.authorizationCode.redirectURI",
	within(judge, "spec: {grantType: authorization_code, authorizationCode: {redirectURI: %+q}}", "spec.authorizationCode.redirectURI"),
	Entry("takes 127.0.0.1", "http://127.0.0.1/callback", accepted()),
	Entry("takes ::1", "http://[::1]/callback", accepted()),
	Entry("takes localhost", "http://localhost/callback", accepted()),
	Entry("takes a port", "http://localhost:8400/callback", accepted()),
	Entry("takes no path", "http://127.0.0.1", accepted()),
	Entry("takes a port and no path", "http://[::1]:8400", accepted()),
	Entry("takes 256 characters", "http://127.0.0.1/"+strings.Repeat("a", 239), accepted()),
	Entry("refuses 257", "http://127.0.0.1/"+strings.Repeat("a", 240), refused("", "Too long", "256")),
	Entry("refuses an empty one", "", refused("", "at least 1 chars")),
	Entry("refuses another host", "http://login.example.com/callback", refused("", redirectMessage)),
	Entry("refuses a host that begins like loopback", "http://127.0.0.1.example.com/callback", refused("", redirectMessage)),
	Entry("refuses a host behind a user", "http://localhost@example.com/callback", refused("", redirectMessage)),
	Entry("refuses a host behind a port", "http://localhost:80@example.com/", refused("", redirectMessage)),
	Entry("refuses another address of this machine", "http://127.0.0.2/callback", refused("", redirectMessage)),
	Entry("refuses all addresses of this machine", "http://0.0.0.0/callback", refused("", redirectMessage)),
	Entry("refuses a host that the dots stand for", "http://127x0x0x1/callback", refused("", redirectMessage)),
	Entry("refuses https, for which nobody has a certificate", "https://localhost/callback", refused("", redirectMessage)),
	Entry("refuses upper case", "HTTP://LOCALHOST/callback", refused("", redirectMessage)),
	Entry("refuses a query", "http://127.0.0.1/callback?a=b", refused("", redirectMessage)),
	Entry("refuses a fragment", "http://127.0.0.1/callback#a", refused("", redirectMessage)),
	Entry("refuses a blank", "http://127.0.0.1/call back", refused("", redirectMessage)),
	Entry("refuses a line break", "http://127.0.0.1/callback\n", refused("", redirectMessage)),
	Entry("refuses a port of six digits", "http://127.0.0.1:123456/callback", refused("", redirectMessage)),
	Entry("refuses a port that is none", "http://127.0.0.1:/callback", refused("", redirectMessage)),
	Entry("refuses the copy and paste of old", "urn:ietf:wg:oauth:2.0:oob", refused("", redirectMessage)),
)

const parametersMessage = "response_type, client_id, redirect_uri, scope, state, code_challenge and code_challenge_method " +
	"are set by tokensync: remove them"

// The parameters of an authorization request, of a provider and of a credential.
var _ = DescribeTable("the parameters of an authorization",
	func(ctx SpecContext, parameters string, want verdict) {
		judge(ctx, fmt.Sprintf("spec: {grantType: authorization_code, authorizationCode: {parameters: %s}}", parameters),
			want.below("spec.authorizationCode.parameters"))
		judgeEndpoints(ctx, fmt.Sprintf("{authorizationParameters: %s}", parameters), want.below(".authorizationParameters"))
	},
	Entry("may be the provider's own", "{access_type: offline, prompt: consent}", accepted()),
	Entry("may be empty", "{prompt: ''}", accepted()),
	Entry("may be none", "{}", accepted()),
	Entry("may be 16", "{"+entries(16, "p%d: a")+"}", accepted()),
	Entry("may not be 17", "{"+entries(17, "p%d: a")+"}", refused("", "Too many", "at most 16")),
	Entry("may be of 2048 characters", "{a: "+strings.Repeat("a", 2048)+"}", accepted()),
	Entry("may not be longer", "{a: "+strings.Repeat("a", 2049)+"}", refused("", "Too long", "2048")),
	Entry("may have a name of 256 characters", "{"+strings.Repeat("a", 256)+": a}", accepted()),
	Entry("may have no longer name", "{"+strings.Repeat("a", 257)+": a}", refused("", parametersMessage)),
	Entry("may have no empty name", "{'': a}", refused("", parametersMessage)),
	Entry("may have no name with a blank", "{'a b': a}", refused("", parametersMessage)),
	Entry("may have no name beyond ASCII", "{ä: a}", refused("", parametersMessage)),
	Entry("may be no numbers", "{max_age: 3600}", refused("", `must be of type string: "integer"`)),
	Entry("may not be response_type", "{a: b, response_type: token}", refused("", parametersMessage)),
	Entry("may not be client_id", "{client_id: a}", refused("", parametersMessage)),
	Entry("may not be redirect_uri", "{redirect_uri: 'https://example.com'}", refused("", parametersMessage)),
	Entry("may not be scope", "{scope: a}", refused("", parametersMessage)),
	Entry("may not be state", "{state: a}", refused("", parametersMessage)),
	Entry("may not be code_challenge", "{code_challenge: a}", refused("", parametersMessage)),
	Entry("may not be code_challenge_method", "{code_challenge_method: plain}", refused("", parametersMessage)),
)

var _ = DescribeTable("lifetime.refreshToken",
	within(judgeEndpoints, "{lifetime: {refreshToken: %s}}", ".lifetime.refreshToken"),
	Entry("takes a maximum", "{maximum: 8760h}", accepted()),
	Entry("takes the time without use", "{idle: 1440h}", accepted()),
	Entry("takes both", "{maximum: 8760h, idle: 2160h}", accepted()),
	Entry("refuses days", "{idle: 60d}", refused(".idle", "must be a duration between 1m and 87600h, such as 1440h")),
	Entry("refuses to say nothing", "{}", refused("", "should have at least 1 properties")),
	Entry("refuses a duration alone", "1440h", refused("", `must be of type object: "string"`)),
)

var _ = DescribeTable("spec.revocationPolicy", within(judge, "spec: {revocationPolicy: %s}", ""),
	Entry("takes Never", "Never", accepted()),
	Entry("takes OnDelete", "OnDelete", accepted()),
	Entry("refuses another", "OnRotate", refused("spec.revocationPolicy", `supported values: "Never", "OnDelete"`)),
	Entry("refuses lower case", "never", refused("spec.revocationPolicy", "Unsupported value")),
	Entry("refuses an empty one", "''", refused("spec.revocationPolicy", "Unsupported value")),
)
