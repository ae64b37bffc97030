// Package metrics tells Prometheus about credentials: their state by a collector
// over the cache, so that a series goes when its credential goes, and what happens
// to them by counters. No label is taken from a host or from an answer.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// inline is the provider label of credentials without a ClusterOAuthProvider, whose
// names a namespace could choose at will.
const inline = "inline"

// Recorder counts token requests and refreshes.
type Recorder struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	refreshes *prometheus.CounterVec
	lateness  prometheus.Histogram
}

// NewRecorder makes a recorder and registers its metrics.
func NewRecorder(registry prometheus.Registerer) *Recorder {
	r := &Recorder{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokensync_token_requests_total",
			Help: "Token requests by provider, result (success or a condition reason) and OAuth error code.",
		}, []string{"provider", "result", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tokensync_token_request_duration_seconds",
			Help:    "Time that token requests took, by provider.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"provider"}),
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokensync_refreshes_total",
			Help: "Tokens written into Secrets, by trigger: schedule or change.",
		}, []string{"trigger"}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "tokensync_refresh_lateness_seconds",
			Help:    "Time from the instant at which a refresh was due until its token was written.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
		}),
	}
	registry.MustRegister(r.requests, r.durations, r.refreshes, r.lateness)
	return r
}

// TokenRequest counts one token request. provider is the name of a
// ClusterOAuthProvider, empty for all others; code is the OAuth error code, empty where
// there is none.
func (r *Recorder) TokenRequest(provider, result, code string, latency time.Duration) {
	if provider == "" {
		provider = inline
	}
	r.requests.WithLabelValues(provider, result, knownCode(code)).Inc()
	r.durations.WithLabelValues(provider).Observe(latency.Seconds())
}

// ForgetProvider drops the series of a ClusterOAuthProvider that is gone.
func (r *Recorder) ForgetProvider(provider string) {
	r.requests.DeletePartialMatch(prometheus.Labels{"provider": provider})
	r.durations.DeletePartialMatch(prometheus.Labels{"provider": provider})
}

// Refresh counts one token that was written, and how late it was; a negative
// lateness is that of a token which no schedule had made due.
func (r *Recorder) Refresh(late time.Duration) {
	if late < 0 {
		r.refreshes.WithLabelValues("change").Inc()
		return
	}
	r.refreshes.WithLabelValues("schedule").Inc()
	r.lateness.Observe(late.Seconds())
}

// knownCodes are the error codes of RFC 6749 section 5.2, RFC 8628 section 3.5,
// RFC 8693 section 2.2.2 and RFC 9449 section 5.
var knownCodes = map[string]bool{
	"":                        true,
	"invalid_request":         true,
	"invalid_client":          true,
	"invalid_grant":           true,
	"unauthorized_client":     true,
	"unsupported_grant_type":  true,
	"invalid_scope":           true,
	"invalid_target":          true,
	"access_denied":           true,
	"temporarily_unavailable": true,
	"server_error":            true,
	"authorization_pending":   true,
	"slow_down":               true,
	"expired_token":           true,
	"invalid_dpop_proof":      true,
	"use_dpop_nonce":          true,
}

// knownCode keeps strings from the wire out of labels.
func knownCode(code string) string {
	if knownCodes[code] {
		return code
	}
	return "other"
}
