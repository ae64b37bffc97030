package schema_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
)

// The fields of a duration, each a format of what surrounds it.
const (
	defaultLifetime = "spec: {provider: {lifetime: {default: %s}}}"
	maximumLifetime = "spec: {provider: {lifetime: {maximum: %s}}}"
	maximumGrant    = "spec: {provider: {lifetime: {refreshToken: {maximum: %s}}}}"
	idleGrant       = "spec: {provider: {lifetime: {refreshToken: {idle: %s}}}}"
	timeout         = "spec: {provider: {timeout: %s}}"
	before          = "spec: {refresh: {before: %s}}"
)

var _ = DescribeTable("a duration",
	func(ctx SpecContext, field, duration string, want verdict) {
		judge(ctx, fmt.Sprintf(field, duration), want)
	},
	Entry("may be of hours", defaultLifetime, "1h", accepted()),
	Entry("may have several parts", defaultLifetime, "1h30m", accepted()),
	Entry("may have all four", defaultLifetime, "1h30m10s500ms", accepted()),
	Entry("may repeat a part", defaultLifetime, "1h1h1h1h", accepted()),
	Entry("may have leading zeros", defaultLifetime, "00001h", accepted()),
	Entry("may be of milliseconds", defaultLifetime, "1000ms", accepted()),
	Entry("needs a unit", defaultLifetime, `"90"`,
		refused("spec.provider.lifetime.default", "must be a duration between 1s and 87600h, such as 90s or 1h30m")),
	Entry("is no number", defaultLifetime, "90", refused("spec.provider.lifetime.default", `must be of type string: "integer"`)),
	Entry("is not of days", defaultLifetime, "1d", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("is not of microseconds", defaultLifetime, "1000000us", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has units in lower case", defaultLifetime, "1H", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("is not negative", defaultLifetime, "-1s", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has no sign", defaultLifetime, "+1s", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has no fraction", defaultLifetime, "1.5h", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has no blank", defaultLifetime, "1h 30m", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has no line break", defaultLifetime, `"1h\n"`, refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("is not ISO 8601", defaultLifetime, "PT1H", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("is not empty", defaultLifetime, `""`, refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has no more than four parts", defaultLifetime, "1h1h1h1h1h", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("has no more than five digits", defaultLifetime, "100000s", refused("spec.provider.lifetime.default", "must be a duration")),
	Entry("is bounded before it overflows", defaultLifetime, "99999h99999h99999h99999h",
		refused("spec.provider.lifetime.default", "must be a duration between 1s and 87600h")),
	Entry("says so once", timeout, "99999h", refused("spec.provider.timeout", "must be a duration between 1s and 5m, such as 30s or 1m30s")),
)

var _ = DescribeTable("the bounds of a duration",
	func(ctx SpecContext, field, path, least, most, under, over string) {
		for _, duration := range []string{least, most} {
			judge(ctx, fmt.Sprintf(field, duration), accepted())
		}
		for _, duration := range []string{under, over} {
			judge(ctx, fmt.Sprintf(field, duration), refused(path, fmt.Sprintf("between %s and %s", least, most)))
		}
	},
	Entry("of a default lifetime", defaultLifetime, "spec.provider.lifetime.default", "1s", "87600h", "999ms", "87600h1ms"),
	Entry("of a maximum lifetime", maximumLifetime, "spec.provider.lifetime.maximum", "1s", "87600h", "0s", "99999h"),
	Entry("of the life of a grant", maximumGrant, "spec.provider.lifetime.refreshToken.maximum", "1m", "87600h", "59s", "87600h1ms"),
	Entry("of the life of a refresh token", idleGrant, "spec.provider.lifetime.refreshToken.idle", "1m", "87600h", "59999ms", "99999h"),
	Entry("of a time-out", timeout, "spec.provider.timeout", "1s", "5m", "999ms", "5m1ms"),
	Entry("of the distance to the expiry", before, "spec.refresh.before", "0s", "720h", "-1s", "720h1ms"),
)

var _ = DescribeTable("the durations of a provider",
	func(ctx SpecContext, field, path, message string) {
		judgeProviders(ctx, fmt.Sprintf("spec: "+field, "1m"), accepted())
		judgeProviders(ctx, fmt.Sprintf("spec: "+field, "1 second"), refused(path, message))
	},
	Entry("have bounds for the default lifetime", "{lifetime: {default: %s}}", "spec.lifetime.default", "between 1s and 87600h"),
	Entry("have bounds for the maximum lifetime", "{lifetime: {maximum: %s}}", "spec.lifetime.maximum", "between 1s and 87600h"),
	Entry("have bounds for the life of a grant", "{lifetime: {refreshToken: {maximum: %s}}}", "spec.lifetime.refreshToken.maximum", "between 1m and 87600h"),
	Entry("have bounds for the life of a refresh token", "{lifetime: {refreshToken: {idle: %s}}}", "spec.lifetime.refreshToken.idle", "between 1m and 87600h"),
	Entry("have bounds for the time-out", "{timeout: %s}", "spec.timeout", "between 1s and 5m"),
	Entry("have bounds for the period of limits", "{limits: {requests: 1, period: %s}}", "spec.limits.period", "between 1s and 24h"),
)

var _ = DescribeTable("lifetime.expiresInUnit", within(judgeEndpoints, "{lifetime: {expiresInUnit: %s}}", ""),
	Entry("takes Seconds", "Seconds", accepted()),
	Entry("takes Milliseconds", "Milliseconds", accepted()),
	Entry("takes Minutes", "Minutes", accepted()),
	Entry("takes Duration", "Duration", accepted()),
	Entry("refuses another", "Hours",
		refused(".lifetime.expiresInUnit", `"Seconds", "Milliseconds", "Minutes", "Duration"`)),
	Entry("refuses lower case", "seconds", refused(".lifetime.expiresInUnit", "Unsupported value")),
)

var _ = DescribeTable("spec.refresh.afterPercent", within(judge, "spec: {refresh: {afterPercent: %s}}", ""),
	Entry("takes 10", "10", accepted()),
	Entry("takes 99", "99", accepted()),
	Entry("takes a whole number with a point", "67.0", accepted()),
	Entry("refuses 9", "9", refused("spec.refresh.afterPercent", "greater than or equal to 10")),
	Entry("refuses 100", "100", refused("spec.refresh.afterPercent", "less than or equal to 99")),
	Entry("refuses a negative one", "-67", refused("spec.refresh.afterPercent", "greater than or equal to 10")),
	Entry("refuses a fraction", "67.5", refused("spec.refresh.afterPercent", "must be of type integer")),
	Entry("refuses a text", `"67"`, refused("spec.refresh.afterPercent", `must be of type integer: "string"`)),
	Entry("refuses a percent sign", "67%", refused("spec.refresh.afterPercent", `must be of type integer: "string"`)),
)
