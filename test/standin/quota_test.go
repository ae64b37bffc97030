package standin_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

func TestAQuotaFillsWithTime(t *testing.T) {
	now := &clock{now: noon}
	options := syncronexOptions()
	options.Clock = now.Now
	server := standin.NewSyncronex(options)
	server.Misbehave(standin.Behavior{
		Fault: standin.TooMany, RetryAfter: time.Second,
		Beyond: standin.Quota{Requests: 2, Period: time.Second},
	})
	for i, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, http.StatusOK},
		{0, http.StatusOK},
		{0, http.StatusTooManyRequests},
		{499 * time.Millisecond, http.StatusTooManyRequests},
		{time.Millisecond, http.StatusOK},
		{0, http.StatusTooManyRequests},
		{time.Hour, http.StatusOK},
		{0, http.StatusOK},
		{0, http.StatusTooManyRequests},
	} {
		now.now = now.now.Add(step.after)
		if got := token(t, server, post(id, secret, tenant)).status; got != step.want {
			t.Errorf("request %d: %d, want %d", i, got, step.want)
		}
	}
}

func TestAShareOfTheRequestsIsMixed(t *testing.T) {
	server := standin.NewSyncronex(syncronexOptions())
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Percent: 30})
	const requests = 1000
	failed, row, longest := 0, 0, 0
	for range requests {
		if row++; token(t, server, post(id, secret, tenant)).status == http.StatusOK {
			row = 0
			continue
		}
		failed++
		longest = max(longest, row)
	}
	if failed < requests*27/100 || failed > requests*33/100 {
		t.Errorf("%d of %d failed", failed, requests)
	}
	if longest < 3 {
		t.Errorf("never more than %d in a row, which is no chance", longest)
	}
}
