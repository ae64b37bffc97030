package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// collectTimeout bounds one collection. The reader is a cache, so that it is met
// only while the cache is not filled yet.
const collectTimeout = 5 * time.Second

var (
	expiration = prometheus.NewDesc("tokensync_credential_expiration_timestamp_seconds",
		"Instant at which the token in the Secret expires, in Unix time; absent where it is unknown.",
		[]string{"namespace", "name"}, nil)
	refresh = prometheus.NewDesc("tokensync_credential_refresh_timestamp_seconds",
		"Instant at which the next token is to be asked for, in Unix time; absent while none is.",
		[]string{"namespace", "name"}, nil)
	refreshToken = prometheus.NewDesc("tokensync_credential_refresh_token_expiration_timestamp_seconds",
		"Instant at which the refresh token expires, in Unix time; absent where it is unknown, and where there is none.",
		[]string{"namespace", "name"}, nil)
	ready = prometheus.NewDesc("tokensync_credential_ready_status",
		"State of the Ready condition: 1 for the status that it has, 0 for the others.",
		[]string{"namespace", "name", "condition"}, nil)
)

// Collector reads the state of all credentials from a cache.
type Collector struct {
	// Reader reads credentials.
	Reader client.Reader
}

// Describe implements prometheus.Collector.
func (c Collector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- expiration
	descriptions <- refresh
	descriptions <- refreshToken
	descriptions <- ready
}

// Collect implements prometheus.Collector.
func (c Collector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout) //nolint:forbidigo // prometheus.Collector passes no context.
	defer cancel()
	credentials := &v1alpha1.OAuthCredentialList{}
	if err := c.Reader.List(ctx, credentials, client.UnsafeDisableDeepCopy); err != nil {
		return // The cache is not filled yet: the other metrics are worth serving.
	}
	for i := range credentials.Items {
		collect(&credentials.Items[i], metrics)
	}
}

func collect(credential *v1alpha1.OAuthCredential, metrics chan<- prometheus.Metric) {
	instant := func(description *prometheus.Desc, at *metav1.Time) {
		if at != nil {
			metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, float64(at.Unix()),
				credential.Namespace, credential.Name)
		}
	}
	instant(expiration, credential.Status.ExpiresAt)
	instant(refresh, credential.Status.RefreshAt)
	instant(refreshToken, credential.Status.RefreshTokenExpiresAt)

	state := metav1.ConditionUnknown
	if condition := meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady); condition != nil {
		state = condition.Status
	}
	for _, status := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
		value := 0.0
		if status == state {
			value = 1
		}
		metrics <- prometheus.MustNewConstMetric(ready, prometheus.GaugeValue, value,
			credential.Namespace, credential.Name, string(status))
	}
}
