package redact_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/redact"
)

func TestStrip(t *testing.T) {
	t.Parallel()

	scrubber := redact.NewScrubber(redact.New("hunter22"), redact.New("8675309"), redact.New("tru\u00e9 a b"))

	for name, test := range map[string]struct{ value, want any }{
		"nothing":                           {nil, nil},
		"a bool":                            {true, true},
		"text":                              {" a\n\u200bb ", " a\n\u200bb "},
		"a secret":                          {"hunter22", "[redacted]"},
		"a secret within text":              {"a\nhunter22\t", "a\n[redacted]\t"},
		"a secret in base64":                {"x aHVudGVyMjI= y", "x [redacted] y"},
		"a secret that is escaped":          {"%68unter22", "[redacted]"},
		"a secret with hidden characters":   {"a hun\u200bter22", "[redacted]"},
		"a secret with other white space":   {"x tru\u00e9\n\n a\tb", "[redacted]"},
		"what is kept":                      {"a hunter22 b", "a hunter22 b"},
		"what is kept within more":          {"a hunter22 b c", "a [redacted] b c"},
		"a number":                          {json.Number("92233720368547758079"), json.Number("92233720368547758079")},
		"a secret number":                   {json.Number("8675309"), "[redacted]"},
		"a secret int":                      {int64(8675309), "[redacted]"},
		"a secret uint":                     {uint64(8675309), "[redacted]"},
		"a secret float":                    {8675309.0, "[redacted]"},
		"other numbers":                     {[]any{int64(-1), uint64(2), 2.5}, []any{int64(-1), uint64(2), 2.5}},
		"a name":                            {map[string]any{"a hunter22": 1.0}, map[string]any{"a [redacted]": 1.0}},
		"at some depth":                     {map[string]any{"a": []any{map[string]any{"b": "hunter22"}}}, map[string]any{"a": []any{map[string]any{"b": "[redacted]"}}}},
		"an empty object and array":         {map[string]any{"a": map[string]any{}, "b": []any{}}, map[string]any{"a": map[string]any{}, "b": []any{}}},
		"what is no JSON":                   {[]any{[]byte("hunter22"), []string{"hunter22"}, fmt.Errorf("hunter22"), new(int)}, []any{nil, nil, nil, nil}},
		"an infinite number":                {math.Inf(1), math.Inf(1)},
		"a secret that is split is not one": {[]any{"hunt", "er22"}, []any{"hunt", "er22"}},
	} {
		if diff := cmp.Diff(test.want, scrubber.Strip(test.value, redact.New("a hunter22 b"))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestStripOfNothing(t *testing.T) {
	t.Parallel()

	for _, scrubber := range []*redact.Scrubber{nil, {}, redact.NewScrubber(), redact.NewScrubber(redact.String{})} {
		if diff := cmp.Diff([]any{"a", ""}, scrubber.Strip([]any{"a", ""}, redact.String{})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestStripChangesACopy(t *testing.T) {
	t.Parallel()

	value := map[string]any{"a": []any{"hunter22"}}
	redact.NewScrubber(redact.New("hunter22")).Strip(value, redact.String{})

	if diff := cmp.Diff(map[string]any{"a": []any{"hunter22"}}, value); diff != "" {
		t.Error(diff)
	}
}

// FuzzStrip looks for a secret in what is left of any JSON that may hold it.
func FuzzStrip(f *testing.F) {
	const secret = "hunter22+/= x"

	for _, text := range []string{"", "[]", `{"a":"b"}`, `{"hunter22+/= x":"hunter22+/=\u0020x"}`, `"\u200bhunter22+/= x"`, "1e5"} {
		f.Add(text)
	}

	f.Fuzz(func(t *testing.T, text string) {
		scrubber := redact.NewScrubber(redact.New(secret))

		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			value = []any{text, map[string]any{text: "x" + secret + text}}
		}

		stripped := scrubber.Strip(value, redact.New("keep"))
		if shown := fmt.Sprint(stripped); strings.Contains(shown, secret) {
			t.Errorf("%q holds the secret", shown)
		}

		if diff := cmp.Diff(stripped, scrubber.Strip(stripped, redact.New("keep"))); diff != "" {
			t.Errorf("not stable: %s", diff)
		}
	})
}

// BenchmarkStrip has the most short strings that an answer can hold.
func BenchmarkStrip(b *testing.B) {
	secrets := make([]redact.String, 0, 20)
	for i := range cap(secrets) {
		secrets = append(secrets, redact.New(fmt.Sprintf("hunter22+/=%d", i)))
	}

	scrubber := redact.NewScrubber(secrets...)
	value := make([]any, 0, 1<<17)

	for range cap(value) {
		value = append(value, "abcdefgh")
	}

	for b.Loop() {
		scrubber.Strip(value, redact.String{})
	}
}
