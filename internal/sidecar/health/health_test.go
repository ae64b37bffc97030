package health

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// setOf makes a set whose token expires after a time, or at an unknown one where that is
// zero.
func setOf(t *testing.T, token string, after time.Duration) *sidecar.Set {
	t.Helper()
	life := lifetime.Token{}
	if after != 0 {
		life.ExpiresAt = noon.Add(after)
	}
	set, ok := sidecar.Keys{Token: "access_token"}.Set(map[string][]byte{"access_token": []byte(token)}, life)
	if !ok {
		t.Fatal("no set")
	}
	return set
}

func newHealth(sinks ...string) (*Health, *sidecar.Current, *testclock.FakePassiveClock) {
	current, clock := sidecar.NewCurrent(), testclock.NewFakePassiveClock(noon)
	return New(Options{Current: current, Sinks: sinks, Version: "v1", Clock: clock}), current, clock
}

func TestReady(t *testing.T) {
	t.Parallel()
	hour, day := setOf(t, "hour", time.Hour), setOf(t, "day", 24*time.Hour)
	full := errors.New("the disk\nis full")
	for name, test := range map[string]struct {
		steps func(h *Health, current *sidecar.Current)
		after time.Duration
		want  string
	}{
		"nothing yet": {
			steps: func(*Health, *sidecar.Current) {},
			want:  "no token yet: the source has none, or cannot be read; the log tells more",
		},
		"nothing yet, for a reason": {
			steps: func(h *Health, _ *sidecar.Current) { h.Lost("proxy", full) },
			want:  "no token yet: the disk is full",
		},
		"lost": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, nil)
				h.Delivered("proxy", hour, nil)
				h.Lost("proxy", full)
			},
			want: "not delivered to proxy: the disk is full",
		},
		"found and not delivered": {
			steps: func(_ *Health, c *sidecar.Current) { c.Offer(hour) },
			want:  "not delivered to files yet",
		},
		"delivered to one": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, nil)
			},
			want: "not delivered to proxy yet",
		},
		"one cannot": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, full)
				h.Delivered("proxy", hour, nil)
			},
			want: "not delivered to files: the disk is full",
		},
		"delivered to both": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, nil)
				h.Delivered("proxy", hour, nil)
			},
			after: time.Hour - 1,
		},
		"expired": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, nil)
				h.Delivered("proxy", hour, nil)
			},
			after: time.Hour,
			want:  "the token expired at 2026-11-22T13:00:00Z, and the source has no newer one",
		},
		"the one before is still good": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, nil)
				c.Offer(day)
				h.Delivered("files", day, full)
				h.Delivered("proxy", day, nil)
			},
		},
		"the one before has expired": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(hour)
				h.Delivered("files", hour, nil)
				c.Offer(day)
				h.Delivered("files", day, full)
				h.Delivered("proxy", day, nil)
			},
			after: time.Hour, want: "not delivered to files: the disk is full",
		},
		"it worked at last": {
			steps: func(h *Health, c *sidecar.Current) {
				c.Offer(day)
				h.Delivered("files", day, full)
				h.Delivered("files", day, nil)
				h.Delivered("proxy", day, nil)
			},
			after: time.Hour,
		},
		"an end that nobody knows": {
			steps: func(h *Health, c *sidecar.Current) {
				set := setOf(t, "forever", 0)
				c.Offer(set)
				h.Delivered("files", set, nil)
				h.Delivered("proxy", set, nil)
			},
			after: 1000 * time.Hour,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, current, clock := newHealth("files", "proxy")
			test.steps(h, current)
			clock.SetTime(noon.Add(test.after))
			got := ""
			if err := h.Ready(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			status, body := ask(t, h, http.MethodGet, "/readyz")
			if want := test.want; want == "" {
				if status != http.StatusOK || body != "ok\n" {
					t.Errorf("got %d %q", status, body)
				}
			} else if status != http.StatusServiceUnavailable || body != want+"\n" {
				t.Errorf("got %d %q", status, body)
			}
			if status, _ := ask(t, h, http.MethodGet, "/healthz"); status != http.StatusOK {
				t.Errorf("not alive: %d", status)
			}
		})
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	h, _, _ := newHealth()
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if status, _ := ask(t, h, http.MethodPost, path); status != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", path, status)
		}
	}
	if status, _ := ask(t, h, http.MethodGet, "/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("got %d", status)
	}
}

func ask(t *testing.T, h *Health, method, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	body, err := io.ReadAll(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	return recorder.Code, string(body)
}

var series = regexp.MustCompile(`(?m)^(tokensync_\S*(?:\{.*\})?) (\S+)$`)

// scrape answers our own series with their values.
func scrape(t *testing.T, h *Health) map[string]string {
	t.Helper()
	status, body := ask(t, h, http.MethodGet, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	for _, also := range []string{"\ngo_goroutines ", "\nprocess_resident_memory_bytes "} {
		if !strings.Contains(body, also) {
			t.Errorf("there is no%s", also)
		}
	}
	found := map[string]string{}
	for _, match := range series.FindAllStringSubmatch(body, -1) {
		found[match[1]] = match[2]
	}
	return found
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h, current, clock := newHealth("files")
	before := scrape(t, h)
	if before[MetricUsable] != "0" || before[MetricSourceUp] != "0" {
		t.Errorf("before: %v", before)
	}
	if _, known := before[MetricExpiresAt]; known {
		t.Error("an end without a token")
	}
	hour := setOf(t, "secret-token", time.Hour)
	current.Offer(hour)
	h.SourceUp(true)
	h.Delivered("files", hour, nil)
	h.Delivered("files", hour, errors.New("secret"))
	h.Notified("hook", nil)
	h.Notified("signal", errors.New("secret"))
	for _, status := range []int{101, 200, 204, 503, 0, 600, -200} {
		h.ProxyRequest(status)
	}
	h.ProxyRepeat()
	h.RefreshRequest(nil)
	h.RefreshRequest(sidecar.ErrNoRefresh)
	h.RefreshRequest(errors.New("secret"))
	h.TokenRequest("success", "", time.Second)
	got := scrape(t, h)
	for name, value := range map[string]string{
		MetricExpiresAt: "1.7953524e+09",
		MetricUsable:    "1",
		MetricSourceUp:  "1",
		MetricDeliveries + `{result="success",sink="files"}`:   "1",
		MetricDeliveries + `{result="failure",sink="files"}`:   "1",
		MetricNotifications + `{kind="hook",result="success"}`: "1",
		MetricProxyRequests + `{code_class="1xx"}`:             "1",
		MetricProxyRequests + `{code_class="2xx"}`:             "2",
		MetricProxyRequests + `{code_class="other"}`:           "3",
		MetricProxyRepeats:                           "1",
		MetricRefreshRequests + `{result="success"}`: "1",
		MetricRefreshRequests + `{result="nobody"}`:  "1",
		MetricRefreshRequests + `{result="failure"}`: "1",
		MetricTokenRequests + `{result="success"}`:   "1",
	} {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	for name := range got {
		if strings.Contains(name, "secret") {
			t.Errorf("%s tells too much", name)
		}
		family, _, _ := strings.Cut(name, "{")
		if !strings.HasPrefix(family, "tokensync_sidecar_") {
			t.Errorf("%s could be the operator's", name)
		}
	}
	if names := slices.Sorted(maps.Keys(got)); !slices.ContainsFunc(names, func(n string) bool {
		return strings.HasPrefix(n, MetricBuildInfo+`{goversion="go`) && strings.HasSuffix(n, `version="v1"}`)
	}) {
		t.Errorf("no version among %v", names)
	}
	clock.SetTime(noon.Add(time.Hour))
	h.SourceUp(false)
	if after := scrape(t, h); after[MetricUsable] != "0" || after[MetricSourceUp] != "0" || after[MetricExpiresAt] == "" {
		t.Errorf("after: %v", after)
	}
	current.Offer(setOf(t, "forever", 0))
	if after := scrape(t, h); after[MetricUsable] != "1" || after[MetricExpiresAt] != "" {
		t.Errorf("an end that nobody knows: %v", after)
	}
}
