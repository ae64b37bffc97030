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
	issue = describe("tokensync_credential_issue_timestamp_seconds",
		"Instant at which the token in the Secret was asked for, in Unix time; absent where there is none.")
	expiration = describe("tokensync_credential_expiration_timestamp_seconds",
		"Instant at which the token in the Secret expires, in Unix time; absent where it is unknown.")
	refresh = describe("tokensync_credential_refresh_timestamp_seconds",
		"Instant at which the next token is to be asked for, in Unix time; absent while none is.")
	refreshToken = describe("tokensync_credential_refresh_token_expiration_timestamp_seconds",
		"Instant at which the refresh token expires, in Unix time; absent where it is unknown, and where there is none.")
	failing = describe("tokensync_credential_failing_since_timestamp_seconds",
		"Instant of the first failure in a row, in Unix time, with the reason of the last; absent while all is well.", "reason")
	suspended = describe("tokensync_credential_suspended",
		"1 while spec.suspend holds all token requests back, 0 otherwise.")
	conditions = describe("tokensync_credential_condition",
		"1 for each condition of the credential, with its status and its reason.", "type", "status", "reason")
	ready = describe("tokensync_credential_ready_status",
		"State of the Ready condition: 1 for the status that it has, 0 for the others.", "condition")
)

// describe describes a metric that every credential has for itself.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"namespace", "name"}, labels...), nil)
}

// Collector reads the state of all credentials from a cache.
type Collector struct {
	// Reader reads credentials.
	Reader client.Reader
}

// Describe implements prometheus.Collector.
func (c Collector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, description := range []*prometheus.Desc{
		issue, expiration, refresh, refreshToken, failing, suspended, conditions, ready,
	} {
		descriptions <- description
	}
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
	gauge := func(description *prometheus.Desc, value float64, labels ...string) {
		labels = append([]string{credential.Namespace, credential.Name}, labels...)
		metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, value, labels...)
	}
	instant := func(description *prometheus.Desc, at *metav1.Time, labels ...string) {
		if at != nil {
			gauge(description, float64(at.Unix()), labels...)
		}
	}
	status := &credential.Status
	instant(issue, status.IssuedAt)
	instant(expiration, status.ExpiresAt)
	instant(refresh, status.RefreshAt)
	instant(refreshToken, status.RefreshTokenExpiresAt)
	if failure := status.LastFailure; failure != nil {
		instant(failing, &failure.FirstTime, failure.Reason)
	}
	gauge(suspended, oneIf(credential.Spec.Suspend))
	for _, condition := range status.Conditions {
		gauge(conditions, 1, condition.Type, string(condition.Status), condition.Reason)
	}
	state := metav1.ConditionUnknown
	if condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); condition != nil {
		state = condition.Status
	}
	for _, possible := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
		gauge(ready, oneIf(possible == state), string(possible))
	}
}

// oneIf is a truth as a sample.
func oneIf(truth bool) float64 {
	if truth {
		return 1
	}
	return 0
}
