package health

import "github.com/prometheus/client_golang/prometheus"

// token reads the state of the newest token at each scrape.
type token struct {
	health    *Health
	expiresAt *prometheus.Desc
	usable    *prometheus.Desc
}

func newToken(h *Health) token {
	return token{
		health: h,
		expiresAt: prometheus.NewDesc(MetricExpiresAt,
			"Instant at which the newest token expires, in Unix time; absent where it is unknown, and without a token.", nil, nil),
		usable: prometheus.NewDesc(MetricUsable, "1 while there is a token that has not expired, 0 otherwise.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (t token) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- t.expiresAt
	descriptions <- t.usable
}

// Collect implements prometheus.Collector.
func (t token) Collect(metrics chan<- prometheus.Metric) {
	set := t.health.current.Set()
	usable := 0.0
	if set.Usable(t.health.clock.Now()) {
		usable = 1
	}
	metrics <- prometheus.MustNewConstMetric(t.usable, prometheus.GaugeValue, usable)
	if set != nil && !set.Life.ExpiresAt.IsZero() {
		metrics <- prometheus.MustNewConstMetric(t.expiresAt, prometheus.GaugeValue, float64(set.Life.ExpiresAt.Unix()))
	}
}
