package status

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/internal/picture"
	"github.com/tokensync/tokensync/internal/plugin/cli"
)

var instant = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func from(d time.Duration) *metav1.Time { return new(metav1.NewTime(instant.Add(d))) }

func reports() []Report {
	return []Report{
		{
			Namespace: "web", Name: "acme-news", Ready: true, State: Good, Next: "refresh in 19m",
			IssuedAt: from(-20 * time.Minute), ExpiresAt: from(40 * time.Minute), RefreshAt: from(19 * time.Minute),
		},
		{
			Namespace: "web", Name: "files", Ready: true, State: Failing, Next: "tries again in 20s",
			IssuedAt: from(-50 * time.Minute), ExpiresAt: from(10 * time.Minute), RefreshAt: from(20 * time.Second),
			Trouble: &Trouble{Reason: "ProviderUnreachable", Message: "The provider is away for now.", Count: 4, Since: from(-5 * time.Minute)},
		},
		{
			Namespace: "shop", Name: "orders", State: Stalled, Next: "waits for a login", Advice: "kubectl tokensync login orders -n shop",
			Trouble: &Trouble{Reason: "AuthorizationRequired", Message: "Log in."},
		},
		{Namespace: "shop", Name: "forever", Ready: true, State: Good, Next: "refresh in 40m", IssuedAt: from(-20 * time.Minute)},
		{
			Namespace: "shop", Name: "old", State: Expired, Next: "overdue for 10m: is tokensync running?",
			IssuedAt: from(-2 * time.Hour), ExpiresAt: from(-time.Minute), RefreshAt: from(-10 * time.Minute),
		},
		{
			Namespace: "shop", Name: "ending", Ready: true, State: Good, Next: "refresh in 9m",
			IssuedAt: from(-50 * time.Minute), ExpiresAt: from(10 * time.Second), RefreshAt: from(5 * time.Second),
			RefreshTokenExpiresAt: from(50 * time.Hour), RefreshTokenWarning: "RefreshTokenExpiring: the refresh token ends: log in.",
		},
		{
			Namespace: "shop", Name: "renewed", Ready: true, State: Good, Next: "refresh in 40m", IssuedAt: from(-20 * time.Minute),
			RefreshTokenExpiresAt: from(9 * 24 * time.Hour), RefreshTokenRenews: true,
		},
	}
}

const wide = `
NAMESPACE  NAME         STATE      LIFE OF THE TOKEN     LEFT     NEXT
web        acme-news  ● Good       ━━━━━━━╋━━━━━───────  40m      refresh in 19m
web        files      ● Failing    ━━━─────────────────  10m      tries again in 20s
  └ ProviderUnreachable (4 times in 5m): The provider is away for now.
shop       orders     ✗ Stalled    ····················  -        waits for a login
  └ AuthorizationRequired: Log in.
  └ Run: kubectl tokensync login orders -n shop
shop       forever    ● Good       ····················  unknown  refresh in 40m
shop       old        ✗ Expired    ─┼──────────────────  0s       overdue for 10m: is tokensync running?
shop       ending     ● Good       ╋───────────────────  10s      refresh in 9m
  └ RefreshTokenExpiring: the refresh token ends: log in.
shop       renewed    ● Good       ····················  unknown  refresh in 40m
`

func TestTable(t *testing.T) {
	t.Parallel()
	got := strings.Join(table{namespaces: true, now: instant}.lines(reports()), "\n")
	if want := strings.TrimSpace(wide); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestATableForATerminal(t *testing.T) {
	t.Parallel()
	const columns = 50
	terminal := cli.Terminal{Out: true, Color: true, Size: func() (int, int) { return columns, 24 }}
	lines := table{terminal: terminal, now: instant}.lines(reports()[:2])
	if strings.Contains(lines[0], "NAMESPACE") || !strings.Contains(lines[1], "\x1b[32m● Good") || !strings.Contains(lines[2], "\x1b[33m● Failing") {
		t.Errorf("got %q", lines)
	}
	details := lines[3:]
	if len(details) < 2 {
		t.Fatalf("what is wrong was not wrapped: %q", details)
	}
	for _, line := range details {
		if picture.Clip(line, columns) != line {
			t.Errorf("%q is wider than the terminal", line)
		}
	}
}
