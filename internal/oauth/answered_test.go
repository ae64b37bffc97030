package oauth_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/oauth"
)

// noting is a mapper that notes when it is called.
type noting struct{ note func(string) }

func (n noting) Map(oauth.Response) (oauth.Mapping, error) {
	n.note("judged")

	return oauth.Mapping{}, nil
}

func TestAnswered(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		handle http.HandlerFunc
		change func(*oauth.Request)
		want   []string
	}{
		"a token": {handle: reply(200, good), want: []string{"sent", "answered", "judged"}},
		"a token in pieces": {
			handle: func(w http.ResponseWriter, _ *http.Request) {
				for piece := range strings.SplitAfterSeq(good, ",") {
					if _, err := io.WriteString(w, piece); err != nil {
						panic(http.ErrAbortHandler)
					}

					http.NewResponseController(w).Flush() //nolint:errcheck // the pieces arrive later then
				}
			},
			want: []string{"sent", "answered", "judged"},
		},
		"an error":     {handle: reply(400, `{"error":"invalid_scope"}`), want: []string{"sent", "answered", "judged"}},
		"no body":      {handle: reply(400, ""), want: []string{"sent", "answered"}},
		"a redirect":   {handle: reply(302, "", "Location: /"), want: []string{"sent"}},
		"a large body": {handle: reply(200, strings.Repeat("x", 2<<20)), want: []string{"sent"}},
		"no answer":    {handle: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: []string{"sent"}},
		"half a body":  {handle: reply(200, "{", "Content-Length: 99"), want: []string{"sent"}},
		"not made":     {handle: reply(200, good), change: func(r *oauth.Request) { r.Client.ID = "" }},
		"not a URL":    {handle: reply(200, good), change: func(r *oauth.Request) { r.TokenURL = "" }},
		"not a CA":     {handle: reply(200, good), change: func(r *oauth.Request) { r.CABundle = []byte{} }},
		"an address":   {handle: reply(200, good), change: func(r *oauth.Request) { r.TokenURL = "http://169.254.169.254/" }},
		"nobody listens": {
			handle: reply(200, good), change: func(r *oauth.Request) { r.TokenURL = "http://127.0.0.1:1/" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			events := make(chan string, 9)
			note := func(event string) { events <- event }

			server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				note("sent")
				test.handle(w, r)
			})

			request := newRequest(server)
			request.Answered, request.Response = func() { note("answered") }, noting{note}

			if test.change != nil {
				test.change(&request)
			}

			if answer, err := newClient(t).Token(t.Context(), request); (answer == nil) == (err == nil) {
				t.Errorf("got %v, %v", answer, err)
			}

			var got []string
			for len(events) > 0 {
				got = append(got, <-events)
			}

			// Whether an answer without a token is mapped is not the matter here.
			if !slices.Contains(test.want, "judged") {
				got = slices.DeleteFunc(got, func(event string) bool { return event == "judged" })
			}

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
