package health

import (
	"errors"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tokensync/tokensync/internal/sidecar"
)

// The names of the metrics.
const (
	MetricExpiresAt       = "tokensync_sidecar_token_expires_at_seconds"
	MetricUsable          = "tokensync_sidecar_token_usable"
	MetricSourceUp        = "tokensync_sidecar_source_up"
	MetricDeliveries      = "tokensync_sidecar_deliveries_total"
	MetricNotifications   = "tokensync_sidecar_notifications_total"
	MetricProxyRequests   = "tokensync_sidecar_proxy_requests_total"
	MetricProxyRepeats    = "tokensync_sidecar_proxy_repeats_total"
	MetricRefreshRequests = "tokensync_sidecar_refresh_requests_total"
	MetricTokenRequests   = "tokensync_sidecar_token_requests_total"
	MetricBuildInfo       = "tokensync_sidecar_build_info"
)

// The values of the label result, but for MetricTokenRequests.
const (
	resultSuccess = "success"
	resultFailure = "failure"
	// resultNobody is that of a source that can ask nobody for a fresh token.
	resultNobody = "nobody"
)

// metrics are what is counted.
type metrics struct {
	sourceUp        prometheus.Gauge
	deliveries      *prometheus.CounterVec
	notifications   *prometheus.CounterVec
	proxyRequests   *prometheus.CounterVec
	proxyRepeats    prometheus.Counter
	refreshRequests *prometheus.CounterVec
	tokenRequests   *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer, version string) *metrics {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(vector)
		return vector
	}
	m := &metrics{
		sourceUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: MetricSourceUp, Help: "1 while the source can be read, 0 while it cannot.",
		}),
		deliveries:    counters(MetricDeliveries, "Attempts to deliver a token, by sink and result.", "sink", "result"),
		notifications: counters(MetricNotifications, "Attempts to tell the app of new files, by kind and result.", "kind", "result"),
		proxyRequests: counters(MetricProxyRequests, "Requests that the proxy answered, by class of the status.", "code_class"),
		proxyRepeats: prometheus.NewCounter(prometheus.CounterOpts{
			Name: MetricProxyRepeats, Help: "Requests that the proxy repeated with another token.",
		}),
		refreshRequests: counters(MetricRefreshRequests, "Requests for a fresh token because one was refused, by result.", "result"),
		tokenRequests:   counters(MetricTokenRequests, "Requests to the provider, by result.", "result"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: MetricBuildInfo, Help: "1 for the version that runs.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	registry.MustRegister(m.sourceUp, m.proxyRepeats, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func result(err error) string {
	switch {
	case err == nil:
		return resultSuccess
	case errors.Is(err, sidecar.ErrNoRefresh):
		return resultNobody
	default:
		return resultFailure
	}
}

// SourceUp tells whether the source can be read at the moment.
func (h *Health) SourceUp(up bool) {
	value := 0.0
	if up {
		value = 1
	}
	h.metrics.sourceUp.Set(value)
}

// Notified counts an attempt to tell the app of new files, by its kind.
func (h *Health) Notified(kind string, err error) {
	h.metrics.notifications.WithLabelValues(kind, result(err)).Inc()
}

// ProxyRequest counts a request that the proxy answered with a status.
func (h *Health) ProxyRequest(status int) {
	class := "other"
	if status >= 100 && status < 600 {
		class = strconv.Itoa(status/100) + "xx"
	}
	h.metrics.proxyRequests.WithLabelValues(class).Inc()
}

// ProxyRepeat counts a request that the proxy repeated with another token.
func (h *Health) ProxyRepeat() { h.metrics.proxyRepeats.Inc() }

// RefreshRequest counts a call of sidecar.Refresher, by its error.
func (h *Health) RefreshRequest(err error) {
	h.metrics.refreshRequests.WithLabelValues(result(err)).Inc()
}

// TokenRequest counts a request to the provider. The result is `success` or the reason of
// the failure, of which there are but a few. The OAuth error code and the latency, which
// the operator tells too, are not worth their series in each pod.
func (h *Health) TokenRequest(result, _ string, _ time.Duration) {
	h.metrics.tokenRequests.WithLabelValues(result).Inc()
}
