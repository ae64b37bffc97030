package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

var _ = DescribeTable("an expression",
	func(ctx SpecContext, expression string, want verdict) {
		for _, field := range []string{
			"succeeded", "accessToken", "tokenType", "expiresIn", "expiresAt", "issuedAt", "refreshToken",
			"refreshTokenExpiresIn", "scope", "error", "errorDescription",
		} {
			judgeEndpoints(ctx, fmt.Sprintf("{response: {%s: %s}}", field, quote(expression)), want.below(".response."+field))
		}
		judgeEndpoints(ctx, fmt.Sprintf("{response: {extra: {a: %s}}}", quote(expression)), want.below(".response.extra.a"))
		additions(ctx, fmt.Sprintf("{headers: [{name: X-A, expression: %s}]}", quote(expression)), want.below(".headers[0].expression"))
		additions(ctx, fmt.Sprintf("{parameters: [{name: a, expression: %s}]}", quote(expression)), want.below(".parameters[0].expression"))
		secretField("data")(ctx, fmt.Sprintf("{a: %s}", quote(expression)), want.below(".a"))
		grant(jwtBearer, "jwtBearer")(ctx, fmt.Sprintf("{%s, claims: {a: %s}}", key, quote(expression)), want.below(".claims.a"))
	},
	Entry("may be one", `has(body.ErrorCode) ? body.ErrorCode : "a"`, accepted()),
	Entry("may have lines", "body.a\n  .b\n", accepted()),
	Entry("may be what does not compile, which the operator tells", "Bearer token", accepted()),
	Entry("may have 2048 characters", strings.Repeat("a", 2048), accepted()),
	Entry("may have no more", strings.Repeat("a", 2049), refused("", "Too long", "2048")),
	Entry("may not be empty", "", refused("", "at least 1 chars")),
)

const (
	extraMessage    = "each name must be that of a variable: letters, digits and '_', at most 63"
	existingMessage = "access_token, token_type, expires_at, scope and raw are there already: use another name"
)

var _ = DescribeTable("response", judgeEndpoints,
	Entry("may be empty", "{response: {}}", accepted()),
	Entry("may be all", `{response: {accessToken: body.a, tokenType: '"Bearer"', extra: {tenant_1: body.tenant, Zone: body.zone}}}`, accepted()),
	Entry("may have no number for an expression", "{response: {expiresIn: 3600}}", refused(".response.expiresIn", `must be of type string: "integer"`)),
	Entry("may have 64 extra values", "{response: {extra: {"+entries(64, "v%d: body.a")+"}}}", accepted()),
	Entry("may have no more", "{response: {extra: {"+entries(65, "v%d: body.a")+"}}}", refused(".response.extra", "Too many", "at most 64")),
	Entry("may have a name of 63 characters", "{response: {extra: {"+strings.Repeat("a", 63)+": body.a}}}", accepted()),
	Entry("may have no longer name", "{response: {extra: {"+strings.Repeat("a", 64)+": body.a}}}", refused(".response.extra", extraMessage)),
	Entry("may have no name with a hyphen", "{response: {extra: {my-tenant: body.a}}}", refused(".response.extra", extraMessage)),
	Entry("may have no empty name", "{response: {extra: {'': body.a}}}", refused(".response.extra", extraMessage)),
	Entry("may not hide the access token", "{response: {extra: {access_token: body.a}}}", refused(".response.extra", existingMessage)),
	Entry("may not hide the expiry", "{response: {extra: {a: body.a, expires_at: body.a}}}", refused(".response.extra", existingMessage)),
	Entry("may not hide the answer", "{response: {extra: {raw: body.a}}}", refused(".response.extra", existingMessage)),
)

const dataMessage = "each key must be one of a Secret: letters, digits, '-', '_' and '.'"

var _ = DescribeTable("spec.secret.data", secretField("data"),
	Entry("takes keys", `{authorization: '"Bearer " + token.access_token', app_key: client.id, A.b-c_1: credential.name, .netrc: token.access_token}`, accepted()),
	Entry("takes 64", "{"+entries(64, "k%d: token.access_token")+"}", accepted()),
	Entry("refuses 65", "{"+entries(65, "k%d: token.access_token")+"}", refused("", "Too many", "at most 64")),
	Entry("refuses none", "{}", refused("", "at least 1 properties")),
	Entry("takes a key of 253 characters", "{"+strings.Repeat("a", 253)+": client.id}", accepted()),
	Entry("refuses a longer one", "{"+strings.Repeat("a", 254)+": client.id}", refused("", dataMessage)),
	Entry("refuses an empty key", "{'': client.id}", refused("", dataMessage)),
	Entry("refuses a path", "{a/b: client.id}", refused("", dataMessage)),
	Entry("refuses a dot", "{'.': client.id}", refused("", dataMessage)),
	Entry("refuses two dots", "{'..': client.id}", refused("", dataMessage)),
	Entry("refuses what begins with two dots", "{..data: client.id}", refused("", dataMessage)),
	Entry("refuses an umlaut", "{schlüssel: client.id}", refused("", dataMessage)),
	Entry("refuses a boolean", "{a: true}", refused(".a", `must be of type string: "boolean"`)),
)

var _ = DescribeTable("request", judgeEndpoints,
	Entry("may be a PUT without a body", "{request: {method: PUT, bodyFormat: None}}", accepted()),
	Entry("may be a POST of a form", "{request: {method: POST, bodyFormat: Form}}", accepted()),
	Entry("may be JSON", "{request: {bodyFormat: JSON}}", accepted()),
	Entry("may be a GET with a query", "{request: {method: GET, bodyFormat: Query}}", accepted()),
	Entry("may be a GET with nothing", "{request: {method: GET, bodyFormat: None}}", accepted()),
	Entry("may not be a GET of a form", "{request: {method: GET, bodyFormat: Form}}",
		refused(".request", "a GET has no body: set bodyFormat to Query or None")),
	Entry("may not be a GET of JSON", "{request: {method: GET, bodyFormat: JSON}}", refused(".request", "a GET has no body")),
	Entry("may not be a GET of the default", "{request: {method: GET}}", refused(".request", "a GET has no body")),
	Entry("may not be another method", "{request: {method: PATCH}}", refused(".request.method", `supported values: "POST", "PUT", "GET"`)),
	Entry("may not be in lower case", "{request: {method: post}}", refused(".request.method", "Unsupported value")),
	Entry("may not be of another format", "{request: {bodyFormat: XML}}", refused(".request.bodyFormat", `"Form", "JSON", "Query", "None"`)),
	Entry("may separate scopes by a comma", "{request: {scopeSeparator: ','}}", accepted()),
	Entry("may separate them by 8 characters", "{request: {scopeSeparator: '12345678'}}", accepted()),
	Entry("may not separate them by more", "{request: {scopeSeparator: ', , , , ,'}}", refused(".request.scopeSeparator", "Too long", "8")),
	Entry("may not separate them by nothing", "{request: {scopeSeparator: ''}}", refused(".request.scopeSeparator", "at least 1 chars")),
	Entry("may omit parameters", "{request: {omitParameters: [grant_type, scope]}}", accepted()),
	Entry("may not omit one twice", "{request: {omitParameters: [scope, scope]}}", refused(".request.omitParameters[1]", "Duplicate value")),
	Entry("may not omit nothing", "{request: {omitParameters: ['']}}", refused(".request.omitParameters[0]", "at least 1 chars")),
	Entry("may not omit 65", "{request: {omitParameters: ["+entries(65, "p%d")+"]}}", refused(".request.omitParameters", "Too many", "at most 64")),
)

var _ = DescribeTable("tokenReissue", within(judgeEndpoints, "{tokenReissue: %s}", ".tokenReissue"),
	Entry("takes Independent", "Independent", accepted()),
	Entry("takes Same", "Same", accepted()),
	Entry("takes Replaces", "Replaces", accepted()),
	Entry("refuses another", "Replace", refused("", `supported values: "Independent", "Same", "Replaces"`)),
	Entry("refuses an empty one", "''", refused("", "Unsupported value")),
)
