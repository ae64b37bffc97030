package browser

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tokensync/tokensync/test/cluster"
)

// pageTime bounds what a page may take to do something.
const pageTime = time.Minute

// chromium starts the browser until the test ends.
func chromium(t *testing.T) context.Context {
	t.Helper()
	var said bytes.Buffer
	install := exec.CommandContext(t.Context(), filepath.Join(cluster.Root(), "hack", "browser", "install.sh"))
	install.Stderr = &said
	path, err := install.Output()
	if err != nil {
		t.Fatalf("there is no browser: %v\n%s", err, &said)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(strings.TrimSpace(string(path))),
		chromedp.DisableGPU,
		// The pages are of this machine; fonts from elsewhere would only be waited for.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.WSURLReadTimeout(pageTime),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root.
	}
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	running, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(running); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return running
}

// tab is a page of a browser that has never seen another.
type tab struct {
	t     *testing.T
	ctx   context.Context //nolint:containedctx // It is what a tab is to the driver.
	close context.CancelFunc
}

// newTab opens a tab until the test ends.
func (s *stage) newTab(t *testing.T) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(s.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("no tab opens: %v", err)
	}
	return &tab{t: t, ctx: ctx, close: closeTab}
}

// do does things on the page, one after the other.
func (p *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTime)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v; the page is\n%s", what, err, p.content())
	}
}

// content is what the page shows, as far as that can be had.
func (p *tab) content() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[document.title, location.href, document.body?.innerText].join("\n")`))
	if err != nil {
		return err.Error()
	}
	return text
}

// open opens a page. One that answers with an error is a page, too.
func (p *tab) open(url string) {
	p.t.Helper()
	p.do("open "+url, chromedp.Navigate(url))
}

// press presses a button, or follows a link, as soon as it is there.
func (p *tab) press(selector string) {
	p.t.Helper()
	p.do("press "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// sees waits until the page shows a text.
func (p *tab) sees(text string) {
	p.t.Helper()
	for deadline := time.Now().Add(pageTime); !strings.Contains(p.content(), text); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("the page does not show %q, but\n%s", text, p.content())
		}
	}
}

// signIn signs in at the authorization server.
func (p *tab) signIn() {
	p.t.Helper()
	p.do("sign in",
		chromedp.SendKeys(chromedp.CSS(`input[name=login]`), "jane"),
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), "anything"),
		chromedp.Click(chromedp.CSS(`button.login-submit`)),
		chromedp.WaitReady(chromedp.CSS(`input[name=prompt][value=consent]`)))
}

// consent consents there.
func (p *tab) consent() {
	p.t.Helper()
	p.press(`button.login-submit`)
}
