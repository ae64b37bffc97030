// Package expression evaluates the expressions that users write in CEL: what a request sends, where an answer keeps its
// values, and what goes into a Secret.
//
// A [Compiler] compiles an expression once and evaluates it as often as it is needed. An [Environment] names the
// variables that there are:
//
//	Request         value, client.id, variables, now
//	RequestRefresh  the same and refresh_token
//	Response        status, headers, body
//	Data            token, client.id, credential.name, credential.namespace
//
// Beside CEL's own functions there are the strings extension, base64.encode (of strings as well) and base64.decode,
// toJSON, jwt and optional values. Functions that would read a time zone from the file system are left out.
//
// # Paths that lead nowhere
//
// In Response a path that is not there is null, and so is whatever is made of it: `body.a.b.c`, `string(body.a)` and
// `body.list[7]` are all absent without such fields. An absent condition counts as false and an absent list as empty.
// Everywhere else such a path is an error.
//
// For this an expression is rewritten after it was checked: field and index access, conditions and the ranges of
// comprehensions become calls of functions of this package (rewrite.go, access.go).
//
// # Limits
//
// Expressions come from tenants and answers from strangers. CEL's cost limit alone does not protect: it is charged
// after a function has done its work. So every call goes through a meter, which looks at the arguments first
// (meter.go, guard.go): what would be too large is refused, what would be expensive is charged before it happens.
//
//	source            2 KiB
//	text taken        64 KiB for each argument of a function
//	text made         256 KiB
//	elements          16,384 in a list that an expression makes
//	nesting           64 levels
//	pattern           128 characters, 1,000 states
//	work              see maxCost
//
// # Secrets
//
// Variables hold secrets. No error contains a value or a part of one: it names the field and the expression only, and
// CEL's own run-time errors, which quote values, never leave the package.
package expression
