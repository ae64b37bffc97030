// Package monitoring holds what an operator of tokensync watches to the thing itself: the
// rules are tested by promtool, and a real Prometheus scrapes the operator beside a real API
// server, evaluates the rules, and answers every query of the dashboard.
package monitoring
