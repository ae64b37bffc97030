package consent

import (
	"context"
	"errors"
	"fmt"
	neturl "net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
)

// Flags say how a person is asked.
type Flags struct {
	// NoBrowser prints the URL, and leaves it to the person to open it.
	NoBrowser bool
	// Device asks for a code that is entered elsewhere.
	Device bool
	// Yes sends the client's secret without asking.
	Yes bool
	// Timeout is how long to wait for the person.
	Timeout time.Duration
}

// AddFlags adds the flags.
func (f *Flags) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&f.NoBrowser, "no-browser", false, "Print the URL, and open no browser.")
	flags.BoolVar(&f.Device, "device", false, "Log in by a code that you enter on any device (RFC 8628).")
	flags.BoolVarP(&f.Yes, "yes", "y", false, "Send the client's secret to the provider without asking.")
	flags.DurationVar(&f.Timeout, "login-timeout", 5*time.Minute, "How long to wait for you to log in.")
}

// page shows a page to the person: it opens a browser, or says where to go.
func (f *Flags) page(ctx context.Context, environment *cli.Environment, url string) (opened <-chan error) {
	done := make(chan error, 1)
	if f.NoBrowser || environment.Open == nil {
		return done
	}
	go func() {
		if err := environment.Open(ctx, url); err != nil && ctx.Err() == nil {
			done <- errors.New("no browser could be opened: open the URL yourself")
		}
	}()
	return done
}

// printable is a URL in ASCII alone, so that it shows as what it is.
func printable(url string) string {
	var b strings.Builder
	for i := range len(url) {
		if c := url[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Authority is the host of a URL, with its port, fit to be shown.
func Authority(raw string) string {
	parsed, err := neturl.Parse(raw)
	if err != nil || parsed.Host == "" {
		return "an unknown host"
	}
	return redact.Message(parsed.Host)
}
