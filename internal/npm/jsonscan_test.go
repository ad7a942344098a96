package npm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// scanAll reads a document of one value.
func scanAll(r io.Reader) (string, error) {
	s := newScanner(r, 4<<20)
	t := rawText{limit: 4 << 20, what: "the value"}
	if err := s.value(&t); err != nil {
		return "", err
	}
	return string(t.b), s.finish()
}

func TestScanner(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"words", ` [ true , false , null ] `, `[true,false,null]`},
		{"numbers", `[0,-0,1.5,-1.25e10,1E-2,10e+3,1e999]`, `[0,-0,1.5,-1.25e10,1E-2,10e+3,1e999]`},
		{"empty", `{ "a" : { } , "b" : [ ] }`, `{"a":{},"b":[]}`},
		{"string keeps blanks", `" a \t b "`, `" a \t b "`},
		{"escapes", `"\"\\\/\b\f\n\r\t\u00e9"`, `"\"\\\/\b\f\n\r\t\u00e9"`},
		{"UTF-8", `"é€😀"`, `"é€😀"`},
		{"pair", `"\ud83d\ude00"`, `"\ud83d\ude00"`},
		{"first half alone", `"a\ud83db"`, `"a\ufffdb"`},
		{"first half at the end", `"\ud83d"`, `"\ufffd"`},
		{"second half alone", `"\ude00"`, `"\ufffd"`},
		{"first half and another escape", `"\ud83d\n"`, `"\ufffd\n"`},
		{"first half and another letter", `"\ud83d\u0041"`, `"\ufffd\u0041"`},
		{"two first halves and a second", `"\ud83d\ud83d\ude00"`, `"\ufffd\ud83d\ude00"`},
		{"invalid UTF-8", "\"a\xff\xe2\x82b\"", "\"a\ufffd\ufffd\ufffdb\""},
		{"invalid UTF-8 at the end", "\"\xe2\x82\"", "\"\ufffd\ufffd\""},
		{"same key in other objects", `{"a":{"a":1},"b":{"a":2}}`, `{"a":{"a":1},"b":{"a":2}}`},
		{"100 levels", strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		{"string above the buffer", `"` + strings.Repeat("é", scanBuffer) + `"`, `"` + strings.Repeat("é", scanBuffer) + `"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"whole":       strings.NewReader(tt.in),
				"bytes":       iotest.OneByteReader(strings.NewReader(tt.in)),
				"with an end": iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				got, err := scanAll(r)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if diff := cmp.Diff(got, tt.want); diff != "" {
					t.Errorf("%s (-got +want):\n%s", name, diff)
				}
			}
		})
	}
}

func TestScannerRefuses(t *testing.T) {
	manyKeys := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"` + string(rune('a'+i%26)) + strings.Repeat("x", i/26%50) + `-` + string(appendCount(nil, i)) + `":0`)
		}
		return `{` + b.String()[1:] + `}`
	}
	if _, err := scanAll(strings.NewReader(manyKeys(5000))); err != nil {
		t.Fatalf("5000 keys: %v", err)
	}
	tests := []struct {
		name, in string
		want     registry.Kind
	}{
		{"empty", ``, registry.Invalid},
		{"blanks", "  \n", registry.Invalid},
		{"byte order mark", "\ufeff{}", registry.Invalid},
		{"trailing bytes", `{}x`, registry.Invalid},
		{"trailing NUL", "{}\x00", registry.Invalid},
		{"second document", `{}{}`, registry.Invalid},
		{"cut off", `{"a":`, registry.Invalid},
		{"cut off in a string", `"abc`, registry.Invalid},
		{"cut off in an escape", `"abc\`, registry.Invalid},
		{"cut off in a pair", `"\ud83d\`, registry.Invalid},
		{"cut off in a word", `tru`, registry.Invalid},
		{"word", `nul`, registry.Invalid},
		{"other word", `NaN`, registry.Invalid},
		{"infinity", `-Infinity`, registry.Invalid},
		{"leading zero", `01`, registry.Invalid},
		{"plus", `+1`, registry.Invalid},
		{"no whole part", `.5`, registry.Invalid},
		{"no fraction", `1.`, registry.Invalid},
		{"no exponent", `1e`, registry.Invalid},
		{"minus alone", `-`, registry.Invalid},
		{"hexadecimal", `0x10`, registry.Invalid},
		{"long number", strings.Repeat("1", maxNumber+1), registry.Invalid},
		{"comma at the end of an array", `[1,]`, registry.Invalid},
		{"comma at the end of an object", `{"a":1,}`, registry.Invalid},
		{"no comma", `[1 2]`, registry.Invalid},
		{"no colon", `{"a" 1}`, registry.Invalid},
		{"key without quotes", `{a:1}`, registry.Invalid},
		{"single quotes", `{'a':1}`, registry.Invalid},
		{"comment", `{}// x`, registry.Invalid},
		{"line feed in a string", "\"a\nb\"", registry.Invalid},
		{"NUL in a string", "\"a\x00b\"", registry.Invalid},
		{"unknown escape", `"\x41"`, registry.Invalid},
		{"bad escape", `"\u00g0"`, registry.Invalid},
		{"101 levels", strings.Repeat("[", 101) + strings.Repeat("]", 101), registry.Invalid},
		{"a million levels", strings.Repeat("[", 1_000_000), registry.Invalid},
		{"key twice", `{"a":1,"b":2,"a":3}`, registry.Invalid},
		{"key twice, deep", `[{"x":{"a":1,"a":1}}]`, registry.Invalid},
		{"key twice, once escaped", `{"a":1,"\u0061":2}`, registry.Invalid},
		{"key twice among many", strings.Replace(manyKeys(100), `}`, `,"a-0":1}`, 1), registry.Invalid},
		{"too many keys", manyKeys(maxKeys + 1), registry.Invalid},
		{"prototype", `{"__proto__":{"x":1}}`, registry.Invalid},
		{"prototype, deep and escaped", `{"a":[{"\u005f_proto__":1}]}`, registry.Invalid},
		{"half a character in a key", `{"\ud83d":1}`, registry.Invalid},
		{"invalid UTF-8 in a key", "{\"\xff\":1}", registry.Invalid},
		{"long key", `{"` + strings.Repeat("k", maxKey) + `":1}`, registry.TooLarge},
		{"long value", `"` + strings.Repeat("v", 4<<20-1) + `"`, registry.TooLarge},
		{"long document", strings.Repeat(" ", 5<<20) + `{}`, registry.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := scanAll(strings.NewReader(tt.in))
			if err == nil {
				t.Fatalf("was read as %.100q", got)
			}
			if kind := registry.KindOf(err); kind != tt.want {
				t.Errorf("kind = %v, want %v (%v)", kind, tt.want, err)
			}
		})
	}
}

func appendCount(b []byte, n int) []byte {
	if n >= 10 {
		b = appendCount(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

func TestScannerKeepsReadErrors(t *testing.T) {
	slow := registry.Errorf(registry.TooLarge, "over the limit")
	tests := []struct {
		name string
		err  error
		want registry.Kind
	}{
		{"with a kind", slow, registry.TooLarge},
		{"connection lost", io.ErrUnexpectedEOF, registry.Invalid},
		{"another", errors.New("reset"), registry.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := scanAll(io.MultiReader(strings.NewReader(`{"a":"b`), iotest.ErrReader(tt.err)))
			if !errors.Is(err, tt.err) || registry.KindOf(err) != tt.want {
				t.Errorf("got %v (%v), want %v (%v)", err, registry.KindOf(err), tt.err, tt.want)
			}
		})
	}
}

// FuzzScanner compares the scanner with encoding/json: it takes no text that is
// not JSON, and refuses JSON for its own reasons only.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.5e3,"x\u00e9\ud83d\ude00",null,true]}`, `{"a":1,"a":2}`, `"\ud83d\ud83d\ude00"`, "\"\xff\"", `[1,]`, `01`, ``, `{}x`, "\ufeff{}",
		`{"__proto__":1}`, `{"\u0061":1,"a":2}`, `"\ud83d`, ` { } `, `-0.0e-0`,
	} {
		f.Add([]byte(s), byte(3))
	}
	own := []string{"comes twice", "__proto__", "deeper than", "too long", "a key is not valid UTF-8", "half a character"}
	f.Fuzz(func(t *testing.T, in []byte, step byte) {
		got, err := scanAll(&stepReader{in, int(step)})
		valid := json.Valid(in)
		if err != nil {
			for _, reason := range own {
				valid = valid && !strings.Contains(err.Error(), reason)
			}
			if valid {
				t.Fatalf("%q is JSON, but: %v", in, err)
			}
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if !valid {
			t.Fatalf("%q is not JSON, but was read as %q", in, got)
		}
		var want, have any
		decode := func(b []byte, into *any) error {
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			return d.Decode(into)
		}
		if err := decode([]byte(got), &have); err != nil {
			t.Fatalf("%q was read as %q: %v", in, got, err)
		}
		if err := decode(in, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(have, want); diff != "" {
			t.Errorf("%q was read as %q, which means another thing:\n%s", in, got, diff)
		}
		if again, err := scanAll(strings.NewReader(got)); err != nil || again != got {
			t.Errorf("reading %q again gives %q, %v", got, again, err)
		}
	})
}

// stepReader hands out a few bytes at a time.
type stepReader struct {
	b    []byte
	step int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[:min(r.step+1, len(r.b))])
	r.b = r.b[n:]
	return n, nil
}

func BenchmarkScanner(b *testing.B) {
	doc := []byte(`{"versions":{` + strings.Repeat(" ", 10))
	for i := range 2000 {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = append(appendCount(append(doc, `"1.0.`...), i), `":{"name":"lib","version":"1.0.0","description":"a package that does something or other","dependencies":{"lodash":"^4.17.21","react":"^18.0.0","@types/node":"*"},"scripts":{"test":"node --test"},"license":"MIT"}`...)
	}
	doc = append(doc, `}}`...)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scanAll(bytes.NewReader(doc)); err != nil {
			b.Fatal(err)
		}
	}
}
