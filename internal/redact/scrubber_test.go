package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/redact"
)

func TestClean(t *testing.T) {
	t.Parallel()

	const value = "pä55 w/rd+<&>\"\\"

	basic := base64.StdEncoding.EncodeToString([]byte("client:" + value + "!"))
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}

	inside := strings.Trim(string(encoded), `"`)

	for name, text := range map[string]string{
		"as it is":                        value,
		"base64":                          base64.StdEncoding.EncodeToString([]byte(value)),
		"base64 without padding":          base64.RawStdEncoding.EncodeToString([]byte(value)),
		"base64 for URLs":                 base64.URLEncoding.EncodeToString([]byte(value)),
		"base64 for URLs without padding": base64.RawURLEncoding.EncodeToString([]byte(value)),
		"a Basic header":                  basic,
		"a form-encoded Basic header":     base64.StdEncoding.EncodeToString([]byte("ab:" + url.QueryEscape(value))),
		"a Basic header in a query":       url.QueryEscape(basic),
		"query encoding":                  url.QueryEscape(value),
		"path encoding":                   url.PathEscape(value),
		"lower-case percent encoding":     lowerPercent(url.QueryEscape(value)),
		"every byte percent-encoded":      percentAll(value),
		"JSON":                            inside,
		"JSON with escaped slashes":       strings.ReplaceAll(inside, "/", `\/`),
		"JSON in ASCII":                   strings.ReplaceAll(inside, "ä", `\u00e4`),
		"hexadecimal":                     hex.EncodeToString([]byte(value)),
		"upper-case hexadecimal":          strings.ToUpper(hex.EncodeToString([]byte(value))),
		"zero-width characters inside":    "pä\u200b55 w/rd+<&>\"\\",
		"other white space inside":        "pä55 \r\n w/rd+<&>\"\\",
		"both, in a form":                 url.QueryEscape("pä55 w/rd+<\u200b&>\"\\"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := redact.NewScrubber(redact.New(value)).Clean("before (" + text + ") after")
			if name == "both, in a form" {
				// Two layers at once are more than is promised; nothing may be shown in the clear.
				if strings.Contains(got, value) {
					t.Errorf("got %q", got)
				}

				return
			}

			if want := "before ([redacted]) after"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCleanKnowsVariants(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"no secret":                              {nil, "a  b", "a b"},
		"an empty one":                           {[]string{""}, "a b", "a b"},
		"one that is too short to look for":      {[]string{"abc"}, "abc abc", "abc abc"},
		"the shortest":                           {[]string{"abcd"}, "xabcdx", "x[redacted]x"},
		"a line break at the end":                {[]string{"hunter22\n"}, "bad hunter22!", "bad [redacted]!"},
		"runs of white space":                    {[]string{"open  sesame"}, "bad open\t\tsesame", "bad [redacted]"},
		"one within the other":                   {[]string{"hunter", "hunter22"}, "bad hunter22", "bad [redacted]"},
		"overlapping ones":                       {[]string{"abcdef", "defghi"}, "xabcdefghix", "x[redacted]x"},
		"the same twice":                         {[]string{"hunter22"}, "hunter22 hunter22", "[redacted] [redacted]"},
		"a part of the marker":                   {[]string{"redacted"}, "redacted", "[[redacted]]"},
		"a secret across the cut":                {[]string{strings.Repeat("s", 90)}, strings.Repeat("a", 200) + strings.Repeat("s", 90), strings.Repeat("a", 200) + "[redacted]"},
		"a marker across the cut":                {[]string{"hunter22"}, strings.Repeat("a", 250) + "hunter22", strings.Repeat("a", 250) + "[reda…"},
		"percent signs that are no escape":       {[]string{"100%"}, "100% of 50%zz", "[redacted] of 50%zz"},
		"escapes that are cut off":               {[]string{"hunter22"}, `\u12 \ud83d %4`, `\u12 \ud83d %4`},
		"a pair of surrogates":                   {[]string{"key🔑key"}, `bad key\ud83d\udd11key`, "bad [redacted]"},
		"base64 takes the value around it along": {[]string{"hunter22"}, "Basic " + base64.StdEncoding.EncodeToString([]byte("my-id:hunter22")) + " is bad", "Basic [redacted] is bad"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var secrets []redact.String
			for _, s := range test.secrets {
				secrets = append(secrets, redact.New(s))
			}

			if got := redact.NewScrubber(secrets...).Clean(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCleanOfNothing(t *testing.T) {
	t.Parallel()

	var none *redact.Scrubber

	if got := none.Clean(" a "); got != "a" {
		t.Errorf("nil: got %q", got)
	}

	if got := (&redact.Scrubber{}).Clean(" a "); got != "a" {
		t.Errorf("zero: got %q", got)
	}
}

// A description may be as long as an answer, and made to be expensive.
func TestCleanIsLinear(t *testing.T) {
	t.Parallel()

	scrubber := redact.NewScrubber(redact.New(strings.Repeat("a", 1<<13)+"b"), redact.New("aaaa"))

	for name, text := range map[string]string{
		"one letter": strings.Repeat("a", 1<<18),
		"escapes":    strings.Repeat(`%61\u0061+`, 1<<15),
	} {
		// In the time of a quadratic search the test would not end.
		if got := scrubber.Clean(text); strings.Contains(got, "aaaa") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("before ", "hunter22", " after")
	f.Add("Basic ", "pä55 w/rd+<&>\"\\\n", "\u200b")
	f.Add("%", "aaaa", "aa\\u")
	f.Add("%", "00\x9c%", "") // the text before seems to begin an escape

	f.Fuzz(func(t *testing.T, before, secret, after string) {
		scrubber := redact.NewScrubber(redact.New(secret))

		var encoded []string

		if utf8.ValidString(secret) {
			quoted, err := json.Marshal(secret)
			if err != nil {
				t.Fatal(err)
			}

			encoded = append(encoded, string(quoted[1:len(quoted)-1]))
		}

		encoded = append(encoded, secret,
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
			base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
			url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)))

		for _, form := range encoded {
			got := scrubber.Clean(before + form + after)
			checkMessage(t, got)

			if len(secret) < 4 || strings.ContainsAny(secret, "[]…") || strings.Contains("redacted", secret) {
				continue // too short, or a part of what is written in its place
			}

			if strings.Contains(got, secret) || len(form) >= 4 && form != secret && strings.Contains(got, form) &&
				!strings.Contains("[redacted]", form) {
				t.Errorf("%q in %q gives %q", secret, before+form+after, got)
			}
		}
	})
}

func lowerPercent(text string) string {
	parts := strings.Split(text, "%")
	for i, part := range parts[1:] {
		parts[i+1] = strings.ToLower(part[:2]) + part[2:]
	}

	return strings.Join(parts, "%")
}

func percentAll(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString("%" + hex.EncodeToString([]byte{c}))
	}

	return b.String()
}
