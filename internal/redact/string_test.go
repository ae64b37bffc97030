package redact_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/redact"
)

const secret = "s3cr3t-Value+/="

// holder has a secret where fmt cannot call its methods.
type holder struct {
	hidden  redact.String
	list    []redact.String
	pointer *redact.String
	table   map[string]redact.String
	within  struct{ deep redact.String }
}

func newHolder() holder {
	s := redact.New(secret)
	h := holder{hidden: s, list: []redact.String{s}, pointer: &s, table: map[string]redact.String{"k": s}}
	h.within.deep = s

	return h
}

func TestStringIsNeverPrinted(t *testing.T) {
	t.Parallel()

	s := redact.New(secret)
	holder := newHolder()
	scrubber := redact.NewScrubber(s)

	for verb := range strings.SplitSeq("v +v #v s q x X d t p T b o O e f g c U 10s -20q 08x", " ") {
		for name, value := range map[string]any{
			"a secret":               s,
			"a pointer to one":       &s,
			"a slice":                []redact.String{s},
			"a map":                  map[string]redact.String{"a": s},
			"an interface":           []any{s},
			"unexported fields":      holder,
			"a pointer to those":     &holder,
			"a scrubber":             scrubber,
			"a scrubber by value":    *scrubber,
			"a struct with scrubber": struct{ s redact.Scrubber }{*scrubber},
		} {
			if got := fmt.Sprintf("%"+verb, value); leaks(got) {
				t.Errorf("%%%s of %s prints %q", verb, name, got)
			}
		}
	}

	if got := fmt.Sprint(s, fmt.Errorf("with %w", errors.New(s.String()))); leaks(got) {
		t.Errorf("Sprint prints %q", got)
	}
}

func TestStringPrintsTheMarker(t *testing.T) {
	t.Parallel()

	for _, s := range []redact.String{redact.New(secret), {}} {
		text, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}

		for _, got := range []string{s.String(), s.GoString(), fmt.Sprintf("%v", s), fmt.Sprintf("%#v", s), string(text)} {
			if got != redact.Marker {
				t.Errorf("got %q, want %q", got, redact.Marker)
			}
		}
	}
}

func TestStringIsNeverEncoded(t *testing.T) {
	t.Parallel()

	value := struct {
		Secret redact.String
		Map    map[string]redact.String
	}{Secret: redact.New(secret), Map: map[string]redact.String{"k": redact.New(secret)}}

	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}

	if want := `{"Secret":"[redacted]","Map":{"k":"[redacted]"}}`; string(encoded) != want {
		t.Errorf("JSON is %s, want %s", encoded, want)
	}

	type document struct{ Secret redact.String }

	markup, err := xml.Marshal(document{redact.New(secret)})
	if err != nil || leaks(string(markup)) {
		t.Errorf("XML is %s, %v", markup, err)
	}

	var log bytes.Buffer

	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil),
	} {
		slog.New(handler).Info("m", "secret", redact.New(secret), "scrubber", redact.NewScrubber(redact.New(secret)),
			"holder", newHolder())
	}

	if leaks(log.String()) {
		t.Errorf("the log is %s", &log)
	}
}

func TestStringEquality(t *testing.T) {
	t.Parallel()

	one, same, other := redact.New(secret), redact.New(secret), redact.New("another")

	if !one.Equal(same) || one.Equal(other) || one.Equal(redact.String{}) || !(redact.String{}).Equal(redact.New("")) {
		t.Error("Equal is wrong")
	}

	if diff := cmp.Diff([]redact.String{one}, []redact.String{same}); diff != "" {
		t.Errorf("go-cmp sees a difference: %s", diff)
	}

	if one.Reveal() != secret || one.IsEmpty() || !(redact.String{}).IsEmpty() || (redact.String{}).Reveal() != "" {
		t.Error("Reveal or IsEmpty is wrong")
	}
}

func leaks(text string) bool {
	return strings.Contains(text, secret) || strings.Contains(text, "s3cr3t") ||
		strings.Contains(strings.ToLower(text), "733363723374")
}
