package expression

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// large are variables with texts and lists as large as an answer can have them.
func large() map[string]any {
	elements := make([]any, 100_000)
	for i := range elements {
		elements[i] = "x"
	}

	return map[string]any{
		"status": 200, "headers": map[string]string{},
		"body": map[string]any{
			"k16": strings.Repeat("a", 16<<10), "k64": strings.Repeat("a", 64<<10), "k63": strings.Repeat("a", 64<<10-1) + "b",
			"k65": strings.Repeat("a", 65<<10), "m": strings.Repeat("a", 1<<20), "list": elements,
			"half": strings.Repeat("a", 32<<10) + "b", "tens": elements[:10], "thousands": elements[:4000],
		},
	}
}

const (
	tooMuchWork = "it takes too much work"
	longTaken   = "is given a text of more than 64 KiB"
	longMade    = "gives a text of more than 256 KiB"
	manyMade    = "gives a list of more than 16384 elements"
	tooDeep     = "nested more than 64 levels"
	badPattern  = "regular expression"
)

// attacks are expressions that would cost far more than they look like, and why each is refused.
func attacks() map[string]string {
	chain := func(start, step, end string, times int) string { return start + strings.Repeat(step, times) + end }

	return map[string]string{
		// Texts that grow.
		`body.k16.replace("", body.k16)`:                              longMade,
		`body.k64.replace("a", body.k64)`:                             longMade,
		`body.k64.replace("a", "aaaaaaaa")`:                           longMade,
		`body.thousands.join(body.k64)`:                               longMade,
		chain(`["a"]`, `.map(x,x+x)`, ``, 60):                         longMade,
		chain(`[b"a"]`, `.map(x,x+x)`, ``, 60):                        longMade,
		chain(`["aa"]`, `.map(x,x.replace("a",x))`, ``, 60):           longMade,
		chain(`body.k64`, ` + body.k64`, ``, 100):                     longMade,
		`strings.quote(body.m)`:                                       longTaken,
		chain(`["\n"]`, `.map(x,strings.quote(x))`, ``, 60):           longTaken,
		chain(`["a"]`, `.map(x,base64.encode(x))`, ``, 60):            longTaken,
		`"%s%s%s%s".format([body.k64, body.k64, body.k64, body.k64])`: longMade,
		`"%x".format([body.m])`:                                       longMade,
		`toJSON(body)`:                                                tooMuchWork, `toJSON(body.m)`: tooMuchWork,
		`body.m`: "the result gives a text",
		`toJSON([body.k64, body.k64, body.k64, body.k64])`: longMade,

		// Texts that are long.
		`base64.encode(body.k65)`: longTaken,
		`base64.decode(body.k65)`: longTaken,
		`bytes(body.m)`:           longTaken,
		`body.m.reverse()`:        longTaken,
		`body.m.lowerAscii()`:     longTaken,
		`body.m.contains("b")`:    longTaken,
		`body.m.split("")`:        longTaken,
		`body.m.format([])`:       longTaken,
		`int(body.m)`:             longTaken,
		`jwt(body.m)`:             longTaken,
		`timestamp(body.m)`:       longTaken,
		`body.m.matches("a")`:     longTaken,

		// Searches.
		`body.k64.indexOf(body.half)`:                    tooMuchWork,
		`body.k64.lastIndexOf(body.half)`:                tooMuchWork,
		`body.list.exists(x, body.k64.indexOf("b") > 0)`: tooMuchWork,
		`body.list.exists(x, body.k64.contains("ab"))`:   tooMuchWork,
		`body.list.exists(x, body.k64 == body.k63)`:      tooMuchWork,
		`body.list.exists(x, size(body.k64) == 1)`:       tooMuchWork,

		// Patterns.
		`body.k64.matches("(a{30}){30}b")`:                    badPattern,
		`body.k64.matches("a{1000}")`:                         badPattern,
		`"a".matches("((a{10}){10}){10}")`:                    badPattern,
		`"a".matches("` + strings.Repeat("a{900}", 20) + `")`: badPattern,
		`"a".matches("` + strings.Repeat("a", 129) + `")`:     badPattern,
		`"a".matches("((a{1" + "0}){10}){10}")`:               badPattern,
		`"a".matches(body.k64)`:                               badPattern,
		`body.k64.matches("(a?){30}(a*)*b$")`:                 tooMuchWork,

		// Lists.
		`body.k64.split("")`:                                 manyMade,
		chain(`[[1]]`, `.map(x,x+x)`, `[0].size()`, 60):      manyMade,
		`body.list + [1]`:                                    manyMade,
		`body.list.map(x, x)`:                                tooMuchWork,
		`body.list == body.list`:                             tooMuchWork,
		`"y" in body.list`:                                   tooMuchWork,
		`body.thousands.all(x, body.thousands.all(y, true))`: tooMuchWork,
		`body.tens.all(a, body.tens.all(b, body.tens.all(c, body.tens.all(d, body.tens.all(e, body.tens.all(f, true))))))`: tooMuchWork,
		`body.thousands.map(x, body.thousands)`:                                         "the result gives a text",
		`[body.thousands].map(a, a + a).map(a, a + a).all(a, a.all(x, a.all(y, true)))`: tooMuchWork,

		// Trees of few parts.
		chain(`[1]`, `.map(a,[a,a])`, ``, 40):                          "the result gives a text",
		chain(`[1]`, `.map(a,[a,a])`, ` == dyn(1)`, 40):                tooMuchWork,
		`toJSON(` + chain(`[1]`, `.map(a,[a,a])`, ``, 40) + `)`:        tooMuchWork,
		`"%s".format([` + chain(`[1]`, `.map(a,[a,a])`, ``, 40) + `])`: tooMuchWork,
		chain(`[1]`, `.map(a,[a])`, ``, 80):                            tooDeep,
		chain(`[1]`, `.map(a,[a])`, ` == dyn(1)`, 80):                  tooDeep,
		chain(`[1]`, `.map(a,{"a":a,"b":a})`, ` == dyn(1)`, 40):        tooMuchWork,
		`dyn([1]) in ` + chain(`[1]`, `.map(a,[a,a])`, ``, 40):         tooMuchWork,
		chain(``, `[`, chain(``, `]`, ``, 90), 90):                     "nested more than 32 levels",

		// Sources.
		`"` + strings.Repeat("a", 2048) + `"`:                     "longer than 2048 bytes",
		chain(``, `[`, chain(``, `]`, ``, 1000), 1000):            "recursion",
		chain(``, `{"a":`, `1`+chain(``, `}`, ``, 90), 90):        "nested more than 32 levels",
		chain(``, `optional.of(`, `1`+chain(``, `)`, ``, 90), 90): "nested more than 32 levels",
		chain(``, `[1].map(a,`, `1`+chain(``, `)`, ``, 24), 24):   "nested more than 32 levels",
		chain(`optional.of(1)`, `.optMap(a,[a])`, ``, 60):         "",
		chain(``, `!`, `true`, 2000):                              "",
		chain(`1`, `+1`, ``, 1000):                                "",
		`"%.1000f".format([1.0])`:                                 "precision",
	}
}

// hangs is how long no expression takes, with the race detector on a busy machine.
const hangs = 30 * time.Second

func TestAttacks(t *testing.T) {
	c := NewCompiler()
	variables := large()

	for source, expect := range attacks() {
		name := source
		if len(name) > 60 {
			name = name[:60]
		}

		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats

			runtime.ReadMemStats(&before)

			start := time.Now()
			_, err := c.Evaluate(Response, "f", source, variables)
			took := time.Since(start)

			runtime.ReadMemStats(&after)

			if expect != "" && (err == nil || !strings.Contains(err.Error(), expect)) {
				t.Errorf("%v lacks %q", err, expect)
			}

			t.Log(took, (after.TotalAlloc-before.TotalAlloc)>>10, "KiB")

			// What is let through takes minutes, on any machine. The benchmarks tell more.
			if took > hangs {
				t.Errorf("took %v", took)
			}

			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32<<20 {
				t.Errorf("allocated %d KiB", allocated>>10)
			}
		})
	}
}

// What people do stays far from the limits.
func TestLimitsLeaveRoom(t *testing.T) {
	t.Parallel()

	c := NewCompiler()

	for _, source := range []string{
		`toJSON({"auths": {"ghcr.io": {"password": body.k16, "auth": base64.encode("x:" + body.k16)}}})`,
		`body.k64`, `"Bearer " + body.k64`, `base64.encode(body.k64)`, `body.k64.split(".")`, `body.k64.trim()`,
		`body.k16.matches("^[A-Za-z0-9._~+/-]+=*$")`, `body.k16.indexOf(".")`, `body.thousands.filter(x, x == "x").size()`,
		`body.thousands.join(" ")`, `"x" in body.thousands`, `body.k64.replace("a", "aaa")`, `size(body.m)`,
		`body.list.size()`, `body.list[99999]`, `"a" in body`, `body.k64 == body.k63`,
	} {
		if _, err := c.Evaluate(Response, "f", source, large()); err != nil {
			t.Error(err)
		}
	}
}

// A view of a view of many lists would make each look at an element as long as there are lists.
func TestListsAreAddedAsOne(t *testing.T) {
	t.Parallel()

	one := types.NewRefValList(adapter{}, []ref.Val{types.Int(1)})
	views := add(func(...ref.Val) ref.Val { return types.NewErr("not added here") })
	two := views(one, one)

	if reflect.TypeOf(two) != reflect.TypeOf(one) || two.(traits.Lister).Size() != types.Int(2) {
		t.Errorf("%T", two)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()

	c := NewCompiler()

	for i := range maxPrograms + 10 {
		if err := c.Check(Data, "f", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}

		// What is used stays.
		if c.programs.get(key{Data, "0"}) == nil {
			t.Fatal("the program in use was dropped")
		}
	}

	if got := len(c.programs.entries); got != maxPrograms || c.programs.recent.Len() != got {
		t.Errorf("%d programs", got)
	}

	if c.programs.get(key{Data, "1"}) != nil || c.programs.get(key{Request, "0"}) != nil {
		t.Error("a program of another expression")
	}
}

func TestCacheIsBoundedByBytes(t *testing.T) {
	t.Parallel()

	held := newCache(100, 10)
	for _, source := range []string{"aaaa", "bbbb", "cccc", "dd"} {
		held.put(key{Data, source}, &program{})
		held.put(key{Data, source}, &program{})
	}

	if held.get(key{Data, "aaaa"}) != nil || held.get(key{Data, "bbbb"}) == nil || held.held != 10 {
		t.Errorf("%d bytes in %d programs", held.held, len(held.entries))
	}
}

func BenchmarkEvaluate(b *testing.B) {
	c := NewCompiler()
	variables := large()

	for name, source := range map[string]string{
		"path":        `body.tens[3]`,
		"dockerjson":  `toJSON({"auths": {"ghcr.io": {"auth": base64.encode("x:" + body.k16)}}})`,
		"nested":      `body.thousands.all(x, body.thousands.all(y, true))`,
		"lists":       `body.tens.map(a, body.thousands.map(b, [b]))`,
		"search":      `body.list.exists(x, body.k64.indexOf("ab") > 0)`,
		"pattern":     `body.k16.matches("(a?){30}(a*)*b$") || body.k16.matches("(a|aa|aaa)*b")`,
		"patterns":    `body.thousands.exists(x, x.matches("(((a{5}){5}){5})"))`,
		"tree":        `[1].map(a,[a,a]).map(a,[a,a]).map(a,[a,a]).map(a,[a,a]).map(a,[a,a]).map(a,[a,a]) == body.list`,
		"texts":       `body.list.map(x, body.k64 + x).size()`,
		"reverse":     `body.list.exists(x, body.k64.reverse() == "")`,
		"split":       `body.list.exists(x, body.k16.split("") == [])`,
		"format":      `body.list.exists(x, "%s".format([body.thousands]) == "")`,
		"json":        `body.list.exists(x, toJSON(body.thousands) == "")`,
		"jwt":         `body.list.exists(x, jwt("e30." + body.k64 + ".c") == x)`,
		"maps":        `body.list.exists(x, {"a": x, "b": x, "c": x, "d": [x, x, x, x]} == x)`,
		"accumulator": `body.list.map(x, [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x]).size()`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()

			for b.Loop() {
				_, _ = c.Evaluate(Response, "f", source, variables)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for name, source := range map[string]string{
		"path":   `body.result.primary.access.secret`,
		"plus":   strings.Repeat("1+", 1000) + "1",
		"nested": strings.Repeat("[", 90) + strings.Repeat("]", 90),
		"macros": `[1]` + strings.Repeat(`.map(a,[a,a])`, 150),
		"within": strings.Repeat(`[1].map(a,`, 24) + "1" + strings.Repeat(")", 24),
		"maps":   strings.Repeat(`{"a":`, 90) + "1" + strings.Repeat("}", 90),
		"choice": strings.Repeat("true?1:", 280) + "1",
		"paths":  "body" + strings.Repeat(".a", 1000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()

			l, err := newLanguage(Response)
			if err != nil {
				b.Fatal(err)
			}

			for b.Loop() {
				_, _ = l.compile(source)
			}
		})
	}
}
