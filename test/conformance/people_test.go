package conformance

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// person drives the pages of the server without a browser: it fills in what each asks
// for, and goes on.
type person struct {
	t      *testing.T
	client *http.Client
	// declines says that it cancels where it is asked to consent, and declined that it
	// has.
	declines, declined bool
	// left is where the server has sent it that is not the server's own.
	left *url.URL
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]* action="([^"]*)".*?</form>`)
	inputTag = regexp.MustCompile(`(?s)<input[^>]*>`)
	nameOf   = regexp.MustCompile(`\bname="([^"]*)"`)
	valueOf  = regexp.MustCompile(`\bvalue="([^"]*)"`)
	abortTag = regexp.MustCompile(`<a href="([^"]*/abort)"`)
)

// mostPages is more than a login takes.
const mostPages = 10

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t}
	p.client = &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Host == via[0].URL.Host {
			return nil
		}
		p.left = r.URL
		return http.ErrUseLastResponse
	}}
	return p
}

// visit opens a page, and goes on until the server sends it away or asks for nothing any
// more. It answers the query that it is sent away with, or the last page.
func (p *person) visit(ctx context.Context, page string) (url.Values, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	p.left = nil
	for range mostPages {
		at, text := p.open(request)
		if p.left != nil {
			return p.left.Query(), ""
		}
		if p.declined {
			return nil, text
		}
		if request = p.fill(ctx, at, text); request == nil {
			return nil, text
		}
	}
	p.t.Fatalf("%s asks for more and more", page)
	return nil, ""
}

func (p *person) open(request *http.Request) (at *url.URL, text string) {
	p.t.Helper()
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.Request.URL, string(body)
}

// fill fills the form of a page in; nil where there is none.
func (p *person) fill(ctx context.Context, at *url.URL, text string) *http.Request {
	p.t.Helper()
	form := formTag.FindStringSubmatch(text)
	if form == nil {
		return nil
	}
	method, action, values := http.MethodPost, html.UnescapeString(form[1]), url.Values{}
	for _, input := range inputTag.FindAllString(form[0], -1) {
		if name := nameOf.FindStringSubmatch(input); name != nil {
			value := append(valueOf.FindStringSubmatch(input), "", "jane")[1]
			if value == "" {
				value = "jane"
			}
			values.Set(name[1], html.UnescapeString(value))
		}
	}
	switch consent := values.Get("prompt") == "consent"; {
	case p.declines && consent:
		p.declined = true
		method, action, values = http.MethodGet, html.UnescapeString(abortTag.FindStringSubmatch(text)[1]), url.Values{}
	case p.declines && values.Has("confirm"):
		p.declined = true
		values.Set("abort", "yes")
	}
	target, err := at.Parse(action)
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}
