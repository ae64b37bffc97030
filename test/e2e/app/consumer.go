package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

// consumerOptions are the flags of a consumer.
type consumerOptions struct {
	url, ca                         string
	tokenFile, tokenEndpoint, proxy string
	interval, poll                  time.Duration
	tokens, calls                   int
	report                          string
}

func (o *consumerOptions) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("consumer", flag.ContinueOnError)
	flags.StringVar(&o.url, "url", "", "what to call")
	flags.StringVar(&o.ca, "ca", "", "whom to trust, in PEM")
	flags.StringVar(&o.tokenFile, "token-file", "", "file with the token")
	flags.StringVar(&o.tokenEndpoint, "token-endpoint", "", "URL that answers with the token, or unix:/path.sock")
	flags.StringVar(&o.proxy, "proxy", "", "URL of a proxy that adds the token, or unix:/path.sock")
	flags.DurationVar(&o.interval, "interval", 100*time.Millisecond, "between the beginnings of two calls")
	flags.DurationVar(&o.poll, "poll", 2*time.Millisecond, "how often file or endpoint are looked at; 0s for at calls only")
	flags.IntVar(&o.tokens, "tokens", 0, "end when so many tokens were accepted")
	flags.IntVar(&o.calls, "calls", 0, "end when so many calls were accepted")
	flags.StringVar(&o.report, "report", ":8080", "where the report is")
	return flags
}

// problem says what is wrong with the flags.
func (o *consumerOptions) problem() string {
	ways := 0
	for _, way := range []string{o.tokenFile, o.tokenEndpoint, o.proxy} {
		if way != "" {
			ways++
		}
	}
	switch {
	case o.url == "":
		return "--url is needed"
	case ways != 1:
		return "one of --token-file, --token-endpoint and --proxy is needed"
	case o.interval <= 0 || o.poll < 0 || o.tokens < 0 || o.calls < 0:
		return "--interval must be above zero, and --poll, --tokens and --calls not below"
	}
	return ""
}

// endless tells whether nothing but a signal ends the consumer.
func (o *consumerOptions) endless() bool { return o.tokens == 0 && o.calls == 0 }

// consumer calls a service with tokens.
type consumer struct {
	consumerOptions

	// target is what is called: that of --url, or the same at the proxy.
	target string
	// source has the token; nil where a proxy adds it.
	source source
	client *http.Client
	record *record
}

func newConsumer(o consumerOptions) (*consumer, error) {
	transport, err := newTransport(o.ca)
	if err != nil {
		return nil, err
	}
	c := &consumer{
		consumerOptions: o, target: o.url,
		client: &http.Client{Transport: transport, Timeout: callTimeout},
		record: newRecord(),
	}
	switch {
	case o.tokenFile != "":
		c.source = tokenFile(o.tokenFile)
	case o.tokenEndpoint != "":
		c.source = newTokenEndpoint(o.tokenEndpoint)
	default:
		resource, err := url.Parse(o.url)
		if err != nil {
			return nil, fmt.Errorf("read --url: %w", err)
		}
		c.target = local(o.proxy, transport) + resource.RequestURI()
	}
	return c, nil
}

func runConsumer(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	var o consumerOptions
	if err := parse(o.flags(), arguments, stderr, o.problem); err != nil {
		return err
	}
	c, err := newConsumer(o)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.report)
	if err != nil {
		return err
	}
	sayf(stderr, "app consumer: report at %s", listener.Addr())
	ctx, end := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, listener, &http.Server{Handler: c.report()}) })
	group.Go(func() error { c.watch(ctx); return nil })
	group.Go(func() error { defer end(); return c.consume(ctx) })
	err = group.Wait()
	return errors.Join(err, json.NewEncoder(stdout).Encode(c.record.snapshot()))
}

// report serves what has been seen until now.
func (c *consumer) report() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.record.snapshot()) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if c.record.progress().calls == 0 {
			http.Error(w, "no call was accepted yet", http.StatusServiceUnavailable)
		}
	})
	return mux
}

// watch looks at the source between the calls. What is wrong with it the calls notice.
func (c *consumer) watch(ctx context.Context) {
	if c.source == nil || c.poll == 0 {
		return
	}
	ticker := time.NewTicker(c.poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if token, err := c.source.token(ctx); err == nil {
				c.record.saw(hash(token), time.Now())
			}
		}
	}
}

// consume calls until the goal is reached, if there is one, or the context ends.
func (c *consumer) consume(ctx context.Context) error {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		c.call(ctx)
		if reached, err := c.goal(); reached || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			if c.endless() {
				return nil
			}
			return errors.New("it was ended before its goal was reached")
		case <-ticker.C:
		}
	}
}

// goal tells whether enough was accepted. To be refused even once is an error.
func (c *consumer) goal() (reached bool, err error) {
	switch done := c.record.progress(); {
	case c.endless():
		return false, nil
	case done.refused > 0:
		return false, errors.New("a call was refused with 401")
	default:
		return done.tokens >= c.tokens && done.calls >= c.calls, nil
	}
}

// call is one call, with the token as it is now.
func (c *consumer) call(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.target, http.NoBody)
	if err != nil {
		c.record.unanswered(err, time.Now())
		return
	}
	key := ""
	if c.source != nil {
		token, err := c.source.token(ctx)
		if err != nil {
			c.record.missed(err, time.Now())
			return
		}
		key = hash(token)
		c.record.saw(key, time.Now())
		request.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := exchange(c.client, request)
	switch {
	case ctx.Err() != nil: // It is the end that is in the way.
	case c.source == nil && c.record.progress().calls == 0 && (err != nil || got.status == http.StatusServiceUnavailable):
		c.record.missed(errors.New("the proxy has no token yet"), time.Now())
	case err != nil:
		c.record.unanswered(err, time.Now())
	default:
		c.record.answered(key, got, time.Now())
	}
}
