package failures_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// forms are the ways in which a text may be written: plain, and encoded.
func forms(text string) []string {
	quoted, err := json.Marshal(text)
	Expect(err).NotTo(HaveOccurred())
	all := []string{
		text, url.QueryEscape(text), url.PathEscape(text), strings.Trim(string(quoted), `"`), strings.Trim(fmt.Sprintf("%q", text), `"`),
		hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))),
	}
	all = append(all, base64Forms(text)...)
	all = append(all, base64Forms(url.QueryEscape(text))...)
	slices.Sort(all)
	return slices.Compact(all)
}

// base64Forms are the parts of any base64 text that stand for a text inside, such
// as in a Basic header, wherever it begins.
func base64Forms(text string) []string {
	var all []string
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			encoded := encoding.EncodeToString(append(make([]byte, before), text...))
			all = append(all, encoded[(before*8+5)/6:(before+len(text))*8/6])
		}
	}
	return all
}

// expectNowhere searches all that an operator says and writes, other than the
// access token of a target Secret, for values that are known, and for half of them.
func expectNowhere(ctx SpecContext, namespace string, process *running, known map[string]string) {
	GinkgoHelper()
	texts := everything(ctx, namespace, process)
	for what, value := range known {
		half := len(value) / 2
		for _, part := range []string{value, value[:half], value[half:]} {
			for _, form := range forms(part) {
				for place, text := range texts {
					at := strings.Index(text, form)
					if at >= 0 {
						Fail(fmt.Sprintf("%s is in %s: %.100q ... %.300q", what, place, form, text[max(0, at-150):]))
					}
				}
			}
		}
	}
}

// everything is all that others than the consumers of a token may see.
func everything(ctx SpecContext, namespace string, process *running) map[string]string {
	GinkgoHelper()
	encoded := func(value any) string {
		text, err := json.Marshal(value)
		Expect(err).NotTo(HaveOccurred())
		return string(text)
	}
	page, err := process.Metrics(ctx)
	Expect(err).NotTo(HaveOccurred())
	texts := map[string]string{"the log": process.log.String(), "the metrics": page}
	Expect(strings.Count(texts["the log"], "\n")).To(BeNumerically(">", 10), "a log at trace says something")
	events := allEvents(ctx, namespace)
	Expect(events).NotTo(BeEmpty())
	for i := range events {
		texts["the event "+events[i].Name] = encoded(events[i])
	}
	for _, one := range listCredentials(ctx, namespace) {
		texts["the credential "+one.Name] = encoded(one)
		for i, v := range credentials.of(namespace, one.Name) {
			texts[fmt.Sprintf("version %d of the credential %s", i, one.Name)] = encoded(v.credential.Status)
		}
	}
	targets, err := listTargets(ctx, namespace)
	Expect(err).NotTo(HaveOccurred())
	Expect(targets).NotTo(BeEmpty())
	for i := range targets {
		texts["the metadata of the Secret "+targets[i].Name] = encoded(targets[i].ObjectMeta)
		for key, value := range targets[i].Data {
			if key != v1alpha1.KeyAccessToken {
				texts["the key "+key+" of the Secret "+targets[i].Name] = string(value)
			}
		}
	}
	return texts
}

// recording is a stand-in that remembers all the tokens that it issued. It is safe
// for concurrent use.
type recording struct {
	*standin.Server

	mu     sync.Mutex
	issued []string
}

// listen serves the provider under an address of its own, and answers its URL.
func (r *recording) listen() string {
	listening := httptest.NewServer(r)
	DeferCleanup(listening.Close)
	return listening.URL
}

// ServeHTTP implements http.Handler.
func (r *recording) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	copied := &copier{ResponseWriter: w}
	r.Server.ServeHTTP(copied, request)
	answer := struct {
		Token string `json:"access_token"`
	}{}
	if json.Unmarshal(copied.body.Bytes(), &answer) == nil && answer.Token != "" && answer.Token != answered {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.issued = append(r.issued, answer.Token)
	}
}

func (r *recording) tokens() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.issued)
}

// copier keeps a copy of an answer.
type copier struct {
	http.ResponseWriter
	body bytes.Buffer
}

// Write implements http.ResponseWriter.
func (c *copier) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}
