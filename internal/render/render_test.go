package render_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/render"
)

var expiry = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func token() render.Token {
	return render.Token{AccessToken: redact.New("abc"), Type: "Bearer", Scope: "read write", ExpiresAt: expiry}
}

func TestData(t *testing.T) {
	t.Parallel()
	got := render.Default(token())
	want := map[string]string{
		"access_token": "abc", "token_type": "Bearer", "scope": "read write", "expires_at": "2026-01-02T03:04:05Z",
	}
	if len(got) != len(want) {
		t.Errorf("got %d keys, want %d", len(got), len(want))
	}
	for key, value := range want {
		if string(got[key]) != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}
	if bare := render.Default(render.Token{AccessToken: redact.New("abc"), Type: "Bearer"}); len(bare) != 2 {
		t.Errorf("what the provider did not say has keys of its own: %d", len(bare))
	}
}

func TestHashTellsDataApart(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i, data := range []map[string][]byte{
		{},
		{"a": nil},
		{"a": []byte("b")},
		{"ab": nil},
		{"a": []byte("bc")},
		{"a": []byte("b"), "c": nil},
		{"a": nil, "b": []byte("c")},
	} {
		hash := render.Hash(data, expiry)
		if other, ok := seen[hash]; ok {
			t.Errorf("data %d and %d hash alike", i, other)
		}
		seen[hash] = i
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	written := render.Default(token())
	for name, test := range map[string]struct {
		edit func(map[string][]byte)
		ok   bool
	}{
		"untouched":                  {func(map[string][]byte) {}, true},
		"with a key of somebody":     {func(d map[string][]byte) { d["mine"] = []byte("x") }, true},
		"without its expiry":         {func(d map[string][]byte) { delete(d, "expires_at") }, true},
		"with another expiry":        {func(d map[string][]byte) { d["expires_at"] = []byte("never") }, true},
		"without its type":           {func(d map[string][]byte) { delete(d, "token_type") }, true},
		"with another type":          {func(d map[string][]byte) { d["token_type"] = []byte("mac") }, true},
		"with another scope":         {func(d map[string][]byte) { d["scope"] = []byte("admin") }, false},
		"with another token":         {func(d map[string][]byte) { d["access_token"] = []byte("abd") }, false},
		"with an empty token":        {func(d map[string][]byte) { d["access_token"] = nil }, false},
		"without its token":          {func(d map[string][]byte) { delete(d, "access_token") }, false},
		"with everything taken away": {func(d map[string][]byte) { clear(d) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := maps.Clone(written)
			test.edit(data)
			got, ok := render.Recover(data, render.Hash(written, expiry), time.Time{}, expiry)
			if ok != test.ok {
				t.Fatalf("recovered: %t, want %t", ok, test.ok)
			}
			if ok && !render.Holds(written, render.Default(got)) {
				t.Error("what was recovered renders to something else")
			}
			if render.Holds(data, written) != (name == "untouched" || name == "with a key of somebody") {
				t.Error("Holds is wrong about it")
			}
		})
	}
}

func FuzzRecover(f *testing.F) {
	f.Add([]byte("abc"), []byte("Bearer"), []byte("read"), "0011", int64(0))
	f.Fuzz(func(t *testing.T, access, tokenType, scope []byte, hash string, unix int64) {
		data := map[string][]byte{"access_token": access, "token_type": tokenType, "scope": scope}
		got, ok := render.Recover(data, hash, time.Unix(unix, 0))
		if ok && render.Hash(render.Default(got), got.ExpiresAt) != hash {
			t.Error("recovered a token that does not render to the hash")
		}
	})
}

func TestIntact(t *testing.T) {
	t.Parallel()
	written := render.Data{"header": []byte("Bearer abc"), "id": []byte("me")}
	hash := render.Hash(written, expiry)
	for name, test := range map[string]struct {
		data     map[string][]byte
		keys     []string
		expiries []time.Time
		ok       bool
	}{
		"untouched":              {written, []string{"id", "header"}, []time.Time{{}, expiry}, true},
		"with somebody's key":    {map[string][]byte{"header": []byte("Bearer abc"), "id": []byte("me"), "x": nil}, []string{"id", "header"}, []time.Time{expiry}, true},
		"with a key edited":      {map[string][]byte{"header": []byte("Bearer xyz"), "id": []byte("me")}, []string{"id", "header"}, []time.Time{expiry}, false},
		"with a key removed":     {map[string][]byte{"header": []byte("Bearer abc")}, []string{"id", "header"}, []time.Time{expiry}, false},
		"with fewer keys wanted": {written, []string{"header"}, []time.Time{expiry}, false},
		"with another expiry":    {written, []string{"id", "header"}, []time.Time{{}, expiry.Add(time.Hour)}, false},
		"with no keys wanted":    {written, nil, []time.Time{expiry}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, expiresAt, ok := render.Intact(test.data, test.keys, hash, test.expiries...)
			if ok != test.ok {
				t.Fatalf("intact: %t, want %t", ok, test.ok)
			}
			if ok && (!expiresAt.Equal(expiry) || len(got) != 2 || !render.Holds(test.data, got)) {
				t.Error("what was found is not what was written")
			}
		})
	}
}

func TestDataCannotBePrinted(t *testing.T) {
	t.Parallel()
	data := render.Data{"k": []byte("s3cret")}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "data", data)
	encoded, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		t.Fatal(err)
	}
	formatted := fmt.Sprintf("%v %+v %#v %s %x", data, data, data, data, data)
	for _, text := range []string{fmt.Sprint(data), formatted, logged.String(), string(encoded)} {
		if strings.Contains(text, "s3cret") || strings.Contains(text, fmt.Sprintf("%x", "s3cret")) || strings.Contains(text, "czNjcmV0") {
			t.Errorf("it shows: %s", text)
		}
	}
}
