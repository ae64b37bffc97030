package oauth

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheQueryOfAURL(t *testing.T) {
	t.Parallel()

	f := form{{"a", "1"}, {"b c", "&=+"}}

	for name, test := range map[string]struct {
		query string
		form  form
		want  string
	}{
		"none":                       {"", f, "a=1&b+c=%26%3D%2B"},
		"nothing to add":             {"x=%20;&&y", nil, "x=%20;&y"},
		"others stay as they are":    {"x=a%20b+c&aa=0&A=2", f, "x=a%20b+c&aa=0&A=2&a=1&b+c=%26%3D%2B"},
		"the same are replaced":      {"a=0&b%20c&x&a&%61=3&b+c=4", f, "x&a=1&b+c=%26%3D%2B"},
		"what is broken stays":       {"%zz=1&a%=2", f, "%zz=1&a%=2&a=1&b+c=%26%3D%2B"},
		"several of one name":        {"a=0", form{{"a", "1"}, {"a", "2"}}, "a=1&a=2"},
		"a name that is not escaped": {"ä=1&x=2", form{{"ä", ""}}, "x=2&%C3%A4="},
	} {
		if got := test.form.addTo(test.query); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestEncodeJSON(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		form form
		want string
	}{
		"nothing":                  {nil, "{}"},
		"in the order of the form": {form{{"b", "1"}, {"a", ""}}, `{"b":"1","a":""}`},
		"several of one name":      {form{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"a", ""}}, `{"a":["1","3",""],"b":"2"}`},
		"what must be escaped":     {form{{"\"\n", "<\\>&\u2028ä\x00"}}, `{"\"\n":"<\\>&\u2028ä\u0000"}`},
	} {
		if got, err := test.form.encodeJSON(); got != test.want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, test.want)
		}
	}

	for _, f := range []form{{{"a", "\xff"}}, {{"\xff", "a"}}} {
		if got, err := f.encodeJSON(); err == nil {
			t.Errorf("got %s", got)
		}
	}
}

// parseFuzz makes a form of any text.
func parseFuzz(text string) form {
	var f form

	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, "\t")
		f = append(f, parameter{name, value})
	}

	return f
}

func FuzzForm(f *testing.F) {
	f.Add("a\t1\nb c\t&=+\na\t2", "x=%20&a=0&&%zz")
	f.Add("\t\n\t", "")
	f.Add("ä\t\x00\xff", "%C3%A4=;")

	f.Fuzz(func(t *testing.T, text, query string) {
		sent := parseFuzz(text)

		// A query that is broken stays so, and all in front of it is read.
		got, _ := url.ParseQuery(sent.addTo(query))

		for _, p := range sent {
			if want := sent.values(p.name); !slices.Equal(got[p.name], want) {
				t.Errorf("%q has the values %q, want %q", p.name, got[p.name], want)
			}
		}

		encoded, err := sent.encodeJSON()
		if err != nil {
			if utf8.ValidString(text) {
				t.Errorf("%q is not written: %s", text, err)
			}

			return
		}

		var object map[string]any
		if err := json.Unmarshal([]byte(encoded), &object); err != nil {
			t.Fatalf("%s: %s", encoded, err)
		}

		for _, p := range sent {
			switch got, want := object[p.name], sent.values(p.name); got := got.(type) {
			case string:
				if len(want) != 1 || got != want[0] {
					t.Errorf("%q is %q, want %q", p.name, got, want)
				}
			case []any:
				if len(want) != len(got) || len(want) < 2 {
					t.Errorf("%q is %q, want %q", p.name, got, want)
				}
			default:
				t.Errorf("%q is %v, want %q", p.name, got, want)
			}
		}
	})
}
