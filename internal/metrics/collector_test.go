package metrics

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// of collects one credential, where a Collector has those of a cache.
type of struct {
	Collector

	credential v1alpha1.OAuthCredential
}

func (o of) Collect(metrics chan<- prometheus.Metric) { collect(&o.credential, metrics) }

// page is what Prometheus reads of a credential, sorted and without comments. The
// registry complains of what was not described.
func page(t *testing.T, spec v1alpha1.OAuthCredentialSpec, status v1alpha1.OAuthCredentialStatus) []string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(of{credential: v1alpha1.OAuthCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "acme"}, Spec: spec, Status: status,
	}})
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	var samples []string
	for line := range strings.Lines(answer.Body.String()) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			samples = append(samples, strings.TrimPrefix(line, "tokensync_credential_"))
		}
	}
	slices.Sort(samples)
	return samples
}

func instant(unix int64) *metav1.Time { return &metav1.Time{Time: time.Unix(unix, 0)} }

func TestWhatIsToldOfACredential(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec   v1alpha1.OAuthCredentialSpec
		status v1alpha1.OAuthCredentialStatus
		want   []string
	}{
		"one that nobody has looked at": {
			want: []string{
				`ready_status{condition="False",name="acme",namespace="web"} 0`,
				`ready_status{condition="True",name="acme",namespace="web"} 0`,
				`ready_status{condition="Unknown",name="acme",namespace="web"} 1`,
				`suspended{name="acme",namespace="web"} 0`,
			},
		},
		"one that was good, and now fails": {
			status: v1alpha1.OAuthCredentialStatus{
				IssuedAt: instant(100), ExpiresAt: instant(400), RefreshAt: instant(310), RefreshTokenExpiresAt: instant(900),
				LastFailure: &v1alpha1.LastFailure{
					FirstTime: *instant(300), Time: *instant(308), Count: 3,
					Reason: v1alpha1.ReasonProviderUnreachable, Message: "no answer from login.example.com",
				},
				Conditions: []metav1.Condition{
					{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonTokenIssued, Message: "a message"},
					{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonTokenIssued},
				},
			},
			want: []string{
				`condition{name="acme",namespace="web",reason="TokenIssued",status="False",type="Stalled"} 1`,
				`condition{name="acme",namespace="web",reason="TokenIssued",status="True",type="Ready"} 1`,
				`expiration_timestamp_seconds{name="acme",namespace="web"} 400`,
				`failing_since_timestamp_seconds{name="acme",namespace="web",reason="ProviderUnreachable"} 300`,
				`issue_timestamp_seconds{name="acme",namespace="web"} 100`,
				`ready_status{condition="False",name="acme",namespace="web"} 0`,
				`ready_status{condition="True",name="acme",namespace="web"} 1`,
				`ready_status{condition="Unknown",name="acme",namespace="web"} 0`,
				`refresh_timestamp_seconds{name="acme",namespace="web"} 310`,
				`refresh_token_expiration_timestamp_seconds{name="acme",namespace="web"} 900`,
				`suspended{name="acme",namespace="web"} 0`,
			},
		},
		"one that is suspended": {
			spec: v1alpha1.OAuthCredentialSpec{Suspend: true},
			status: v1alpha1.OAuthCredentialStatus{Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSuspended},
			}},
			want: []string{
				`condition{name="acme",namespace="web",reason="Suspended",status="False",type="Ready"} 1`,
				`ready_status{condition="False",name="acme",namespace="web"} 1`,
				`ready_status{condition="True",name="acme",namespace="web"} 0`,
				`ready_status{condition="Unknown",name="acme",namespace="web"} 0`,
				`suspended{name="acme",namespace="web"} 1`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := page(t, test.spec, test.status); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}
