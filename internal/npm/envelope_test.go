package npm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// testSpools gives options whose spools are counted, so that none is forgotten.
func testSpools(t testing.TB) (o DecodeOptions, open func() []*registry.Spool) {
	dir := t.TempDir()
	var made []*registry.Spool
	o.NewSpool = func() (*registry.Spool, error) {
		s := registry.NewSpool(dir, 64<<20)
		made = append(made, s)
		return s, nil
	}
	return o, func() []*registry.Spool {
		var left []*registry.Spool
		for _, s := range made {
			if _, err := s.Open(); err == nil {
				left = append(left, s)
			}
		}
		return left
	}
}

func spoolBytes(t testing.TB, s *registry.Spool) []byte {
	t.Helper()
	r, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// publishBody is a body as npm sends it.
func publishBody(name, version string, tarball []byte) string {
	return fmt.Sprintf(`{"_id":%q,"name":%q,"description":"d","dist-tags":{"latest":%q},"versions":{%q:{"name":%q,"version":%q,`+
		`"readme":"# Hi","dist":{"integrity":"sha512-x"}}},"access":null,"_attachments":{%q:{"content_type":"application/octet-stream","data":%q,"length":%d}}}`,
		name, name, version, version, name, version, name+"-"+version+".tgz", base64.StdEncoding.EncodeToString(tarball), len(tarball))
}

func TestDecodeDocument(t *testing.T) {
	tests := []struct {
		name, in string
		want     Document
		tarball  string // of the attachment a.tgz
	}{
		{
			"publish",
			`{"_id":"@acme/lib","name":"@acme/lib","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/lib", "version":"1.0.0","x":[1, 2]}},` +
				`"access":"public","_attachments":{"a.tgz":{"content_type":"application/octet-stream","data":"aGVsbG8=","length":5}}}`,
			Document{
				ID: "@acme/lib", Name: "@acme/lib", Access: "public", DistTags: map[string]string{"latest": "1.0.0"}, HasVersions: true,
				Versions:    []RawVersion{{"1.0.0", []byte(`{"name":"@acme/lib","version":"1.0.0","x":[1,2]}`)}},
				Attachments: map[string]Attachment{"a.tgz": {Length: 5, ContentType: "application/octet-stream"}},
			},
			"hello",
		},
		{
			"attachments first, length before data, unknown keys, no length",
			`{"_attachments":{"a.tgz":{"length":1,"digest":"x","data":"YQ==","stub":false}},"name":"a","future":{"x":[{}]}}`,
			Document{Name: "a", DistTags: map[string]string{}, Attachments: map[string]Attachment{"a.tgz": {Length: 1}}},
			"a",
		},
		{
			"escapes in base64", `{"_attachments":{"a.tgz":{"data":"\/\/79\u002b\u0076c\u003d"}}}`,
			Document{DistTags: map[string]string{}, Attachments: map[string]Attachment{"a.tgz": {Length: -1}}},
			"\xff\xfe\xfd\xfa\xf7",
		},
		{
			"order of versions stays, readme is cut",
			`{"versions":{"2.0.0":{"a":1},"1.0.0":{"b":"c","readme":"` + strings.Repeat("r", maxReadme+10) + `"},"1.5.0":{}},"readme":"` + strings.Repeat("é", maxReadme) + `"}`,
			Document{
				DistTags: map[string]string{}, HasVersions: true, Readme: strings.Repeat("é", maxReadme/2), Attachments: map[string]Attachment{},
				Versions: []RawVersion{
					{"2.0.0", []byte(`{"a":1}`)}, {"1.0.0", []byte(`{"b":"c","readme":"` + strings.Repeat("r", maxReadme) + `"}`)}, {"1.5.0", []byte(`{}`)},
				},
			},
			"",
		},
		{
			"provenance",
			`{"_attachments":{"a-1.0.0.sigstore":{"content_type":"application/vnd.dev.sigstore.bundle.v0.3+json","data":"{\"a\":\"é\"}","length":9}}}`,
			Document{
				DistTags: map[string]string{}, Attachments: map[string]Attachment{},
				Sigstore: []Bundle{{"a-1.0.0.sigstore", "application/vnd.dev.sigstore.bundle.v0.3+json", `{"a":"é"}`}},
			},
			"",
		},
		{
			"owner change of yarn 1", `{"_id":"a","_rev":"3-x","maintainers":[{"name":"bob"}]}`,
			Document{ID: "a", Rev: "3-x", Maintainers: []byte(`[{"name":"bob"}]`), DistTags: map[string]string{}, Attachments: map[string]Attachment{}},
			"",
		},
		{
			"star", `{"_id":"a","users":{"bob":true}}`,
			Document{ID: "a", Users: []byte(`{"bob":true}`), DistTags: map[string]string{}, Attachments: map[string]Attachment{}},
			"",
		},
		{
			"nulls", `{"_id":null,"name":null,"_rev":null,"dist-tags":null,"versions":null,"_attachments":null,"maintainers":null,"users":null,"access":null,"readme":null}`,
			Document{DistTags: map[string]string{}, Attachments: map[string]Attachment{}},
			"",
		},
		{
			"empty versions are versions", `{"versions":{},"dist-tags":{},"_attachments":{}}`,
			Document{DistTags: map[string]string{}, Attachments: map[string]Attachment{}, HasVersions: true},
			"",
		},
		{
			"tag called __proto__, odd shapes that must not fail", `{"dist-tags":{"__proto__":"1.0.0"},"access":{"x":1},"readme":[1]}`,
			Document{DistTags: map[string]string{"__proto__": "1.0.0"}, Attachments: map[string]Attachment{}},
			"",
		},
		{
			"lone surrogates and invalid UTF-8 are replaced", "{\"versions\":{\"1.0.0\":{\"description\":\"a\xff\\ud800\"}},\"readme\":\"b\xff\\ud800\"}",
			Document{
				DistTags: map[string]string{}, Attachments: map[string]Attachment{}, HasVersions: true, Readme: "b\ufffd\ufffd",
				Versions: []RawVersion{{"1.0.0", []byte(`{"description":"a` + "\ufffd" + `\ufffd"}`)}},
			},
			"",
		},
		{"blanks around", " \r\n{\t}\n ", Document{DistTags: map[string]string{}, Attachments: map[string]Attachment{}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole": strings.NewReader(tt.in), "bytes": iotest.OneByteReader(strings.NewReader(tt.in)), "halves": iotest.HalfReader(strings.NewReader(tt.in)),
			} {
				o, open := testSpools(t)
				doc, err := DecodeDocument(r, o)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				got := *doc
				got.Attachments = map[string]Attachment{}
				for key, a := range doc.Attachments {
					if diff := cmp.Diff(string(spoolBytes(t, a.Spool)), tt.tarball); diff != "" {
						t.Errorf("%s: tarball (-got +want):\n%s", how, diff)
					}
					a.Spool = nil
					got.Attachments[key] = a
				}
				if diff := cmp.Diff(got, tt.want); diff != "" {
					t.Errorf("%s (-got +want):\n%s", how, diff)
				}
				if err := doc.Close(); err != nil || len(open()) != 0 {
					t.Errorf("%s: Close: %v, %d spools left", how, err, len(open()))
				}
			}
		})
	}
}

func TestDecodeDocumentRefuses(t *testing.T) {
	attachment := func(inner string) string { return `{"_attachments":{"a.tgz":` + inner + `}}` }
	deep := strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100)
	var keys strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&keys, `"k%d":1,`, i)
	}
	tests := []struct {
		name, in, says string
		want           registry.Kind
	}{
		{"empty", "", "ends too early", registry.Invalid},
		{"not JSON", "hello", "JSON object", registry.Invalid},
		{"form", "a=b", "JSON object", registry.Invalid},
		{"null", "null", "JSON object", registry.Invalid},
		{"array", "[]", "JSON object", registry.Invalid},
		{"string", `"x"`, "JSON object", registry.Invalid},
		{"byte order mark", "\ufeff{}", "JSON object", registry.Invalid},
		{"trailing bytes", "{}x", "goes on", registry.Invalid},
		{"second document", "{}{}", "goes on", registry.Invalid},
		{"cut off", `{"name":"a"`, "too early", registry.Invalid},
		{"duplicate key", `{"name":"a","name":"b"}`, "comes twice", registry.Invalid},
		{"duplicate version", `{"versions":{"1.0.0":{},"1.0.0":{}}}`, "comes twice", registry.Invalid},
		{"duplicate attachment", attachment(`{"data":""},"a.tgz":{"data":""}`), "comes twice", registry.Invalid},
		{"duplicate key in a manifest", `{"versions":{"1.0.0":{"scripts":{},"scripts":{}}}}`, "comes twice", registry.Invalid},
		{"duplicate key, one escaped", `{"versions":{"1.0.0":{"name":"a","n\u0061me":"b"}}}`, "comes twice", registry.Invalid},
		{"__proto__", `{"__proto__":{}}`, "__proto__", registry.Invalid},
		{"__proto__ as version", `{"versions":{"__proto__":{}}}`, "__proto__", registry.Invalid},
		{"__proto__ in a manifest", `{"versions":{"1.0.0":{"__proto__":{}}}}`, "__proto__", registry.Invalid},
		{"__proto__ deep in a manifest", `{"versions":{"1.0.0":{"a":[{"__proto__":{}}]}}}`, "__proto__", registry.Invalid},
		{"too deep", `{"versions":{"1.0.0":` + deep + `}}`, "deeper", registry.Invalid},
		{"too deep in what is skipped", `{"x":` + deep + `}`, "deeper", registry.Invalid},
		{"a million keys", `{` + strings.TrimSuffix(keys.String(), ",") + `}`, "more than", registry.Invalid},
		{"name of another shape", `{"name":{"a":1}}`, "name must be a string", registry.Invalid},
		{"versions of another shape", `{"versions":["1.0.0"]}`, "versions must be", registry.Invalid},
		{"manifest of another shape", `{"versions":{"1.0.0":"x"}}`, `versions["1.0.0"] must be`, registry.Invalid},
		{"manifest null", `{"versions":{"1.0.0":null}}`, `versions["1.0.0"] must be`, registry.Invalid},
		{"tags of another shape", `{"dist-tags":["latest"]}`, "dist-tags must be", registry.Invalid},
		{"tag of another shape", `{"dist-tags":{"latest":1}}`, `dist-tags["latest"] must be`, registry.Invalid},
		{"number that is none", `{"versions":{"1.0.0":{"a":01}}}`, "number", registry.Invalid},
		{"NaN", `{"versions":{"1.0.0":{"a":NaN}}}`, "value", registry.Invalid},
		{"large manifest", `{"versions":{"1.0.0":{"a":"` + strings.Repeat("x", maxManifest) + `"}}}`, `versions["1.0.0"] is larger`, registry.TooLarge},
		{"long name", `{"name":"` + strings.Repeat("x", maxField+1) + `"}`, "name is longer", registry.TooLarge},

		{"attachments of another shape", `{"_attachments":[]}`, "_attachments must be", registry.Invalid},
		{"attachment of another shape", attachment(`"aGVsbG8="`), `_attachments["a.tgz"] must be`, registry.Invalid},
		{"no data", attachment(`{"length":5}`), "has no data", registry.Invalid},
		{"stub", attachment(`{"stub":true,"length":5}`), "has no data", registry.Invalid},
		{"data of another shape", attachment(`{"data":[1]}`), "must be a base64 string", registry.Invalid},
		{"length too small", attachment(`{"data":"aGVsbG8=","length":4}`), "length of", registry.Invalid},
		{"length too large", attachment(`{"length":6,"data":"aGVsbG8="}`), "length of", registry.Invalid},
		{"length negative", attachment(`{"data":"aGVsbG8=","length":-1}`), "length of", registry.Invalid},
		{"length not whole", attachment(`{"data":"aGVsbG8=","length":5.0}`), "length of", registry.Invalid},
		{"length a string", attachment(`{"data":"aGVsbG8=","length":"5"}`), "length of", registry.Invalid},
		{"no padding", attachment(`{"data":"aGVsbG8"}`), "base64", registry.Invalid},
		{"too much padding", attachment(`{"data":"aGVsbG8=="}`), "base64", registry.Invalid},
		{"padding inside", attachment(`{"data":"aGVsbG8=aGVsbG8="}`), "base64", registry.Invalid},
		{"stray bits", attachment(`{"data":"aGVsbG9="}`), "base64", registry.Invalid},
		{"URL alphabet", attachment(`{"data":"__79-g=="}`), "base64", registry.Invalid},
		{"blank", attachment(`{"data":"aGVs bG8="}`), "base64", registry.Invalid},
		{"escaped line feed", attachment(`{"data":"aGVs\nbG8="}`), "base64", registry.Invalid},
		{"escaped carriage return", attachment(`{"data":"aGVs\u000dbG8="}`), "base64", registry.Invalid},
		{"raw line feed", attachment("{\"data\":\"aGVs\nbG8=\"}"), "base64", registry.Invalid},
		{"raw NUL", attachment("{\"data\":\"aGVs\x00bG8=\"}"), "base64", registry.Invalid},
		{"letter beyond ASCII", attachment(`{"data":"aGVs\u0161bG8="}`), "base64", registry.Invalid},
		{"unknown escape", attachment(`{"data":"aGVs\xbG8="}`), "escape", registry.Invalid},
		{"cut off in the tarball", `{"_attachments":{"a.tgz":{"data":"aGVs`, "too early", registry.Invalid},
		{"two tarballs", attachment(`{"data":""},"b.tgz":{"data":""}`), "more than one tarball", registry.Invalid},
		{"another file", `{"_attachments":{"a.zip":{"data":""}}}`, "neither", registry.Invalid},
		{"two provenance bundles", `{"_attachments":{"a.sigstore":{"data":""},"b.sigstore":{"data":""}}}`, "more than one provenance", registry.Invalid},
		{"provenance too large", `{"_attachments":{"a.sigstore":{"data":"` + strings.Repeat("x", maxSigstore+1) + `"}}}`, "longer", registry.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, open := testSpools(t)
			doc, err := DecodeDocument(strings.NewReader(tt.in), o)
			if err == nil {
				t.Fatalf("was read as %+v", doc)
			}
			if kind := registry.KindOf(err); kind != tt.want || !strings.Contains(registry.Message(err), tt.says) {
				t.Errorf("got %v: %v, want %v about %q", kind, err, tt.want, tt.says)
			}
			if left := len(open()); left != 0 {
				t.Errorf("%d spools left open", left)
			}
		})
	}
}

func TestDecodeDocumentLimits(t *testing.T) {
	o, open := testSpools(t)
	o.MaxDocument = 256 << 10
	tarball := bytes.Repeat([]byte("x"), 1<<20)
	doc, err := DecodeDocument(strings.NewReader(publishBody("a", "1.0.0", tarball)), o)
	if err != nil {
		t.Fatalf("a tarball counts to the document: %v", err)
	}
	if got := spoolBytes(t, doc.Attachments["a-1.0.0.tgz"].Spool); !bytes.Equal(got, tarball) {
		t.Error("the tarball is another one")
	}
	if err := doc.Close(); err != nil {
		t.Error(err)
	}
	for name, in := range map[string]string{
		"field that is skipped": `{"x":"` + strings.Repeat("x", 512<<10) + `"}`,
		"blanks":                strings.Repeat(" ", 512<<10) + `{}`,
		"blanks at the end":     `{}` + strings.Repeat(" ", 512<<10),
	} {
		if _, err := DecodeDocument(strings.NewReader(in), o); registry.KindOf(err) != registry.TooLarge {
			t.Errorf("%s: %v, want too large", name, err)
		}
	}

	refusal := registry.Errorf(registry.Forbidden, "no")
	o.NewSpool = func() (*registry.Spool, error) { return nil, refusal }
	if _, err := DecodeDocument(strings.NewReader(publishBody("a", "1.0.0", tarball)), o); !errors.Is(err, refusal) || registry.KindOf(err) != registry.Forbidden {
		t.Errorf("no spool: %v, want %v", err, refusal)
	}
	o.NewSpool = func() (*registry.Spool, error) { return registry.NewSpool(t.TempDir(), 1000), nil }
	if _, err := DecodeDocument(strings.NewReader(publishBody("a", "1.0.0", tarball)), o); registry.KindOf(err) != registry.TooLarge {
		t.Errorf("small spool: %v, want too large", err)
	}
	if left := len(open()); left != 0 {
		t.Errorf("%d spools left open", left)
	}
}

func TestDecodeBatch(t *testing.T) {
	o, open := testSpools(t)
	body := `{"x":1,"packages":[` + publishBody("a", "1.0.0", []byte("one")) + `,` + publishBody("@acme/b", "2.0.0", []byte("two")) + `]}`
	docs, err := DecodeBatch(strings.NewReader(body), o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, doc := range docs {
		for key, a := range doc.Attachments {
			got = append(got, doc.Name+" "+doc.Versions[0].Key+" "+key+" "+string(spoolBytes(t, a.Spool)))
		}
		if err := doc.Close(); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(got, []string{"a 1.0.0 a-1.0.0.tgz one", "@acme/b 2.0.0 @acme/b-2.0.0.tgz two"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	for name, in := range map[string]string{
		"empty":            `{"packages":[]}`,
		"missing":          `{}`,
		"another shape":    `{"packages":{}}`,
		"document null":    `{"packages":[null]}`,
		"second is broken": `{"packages":[` + publishBody("a", "1.0.0", []byte("one")) + `,{"name":1}]}`,
		"trailing bytes":   `{"packages":[` + publishBody("a", "1.0.0", []byte("one")) + `]}x`,
	} {
		if _, err := DecodeBatch(strings.NewReader(in), o); registry.KindOf(err) != registry.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if _, err := DecodeBatch(strings.NewReader(`{"packages":[`+strings.Repeat(`{},`, maxBatch)+`{}]}`), o); registry.KindOf(err) != registry.TooLarge {
		t.Errorf("too many documents: %v, want too large", err)
	}
	if left := len(open()); left != 0 {
		t.Errorf("%d spools left open", left)
	}
}

// bodyReader makes a publish body of any size without holding it.
func bodyReader(tarball io.Reader, size int64) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, `{"name":"a","versions":{"1.0.0":{"name":"a","version":"1.0.0"}},"_attachments":{"a-1.0.0.tgz":{"data":"`)
		if err == nil {
			encoder := base64.NewEncoder(base64.StdEncoding, w)
			_, err = io.CopyN(encoder, tarball, size)
			err = errors.Join(err, encoder.Close())
		}
		if err == nil {
			_, err = fmt.Fprintf(w, `","length":%d}}}`, size)
		}
		w.CloseWithError(err)
	}()
	return r
}

// TestDecodeDocumentMemory is threats.md A6: a publish costs no memory that
// grows with the tarball.
func TestDecodeDocumentMemory(t *testing.T) {
	const size = 32 << 20
	o, _ := testSpools(t)
	body := bodyReader(rand.NewChaCha8([32]byte{}), size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	doc, err := DecodeDocument(body, o)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.Attachments["a-1.0.0.tgz"].Spool.Size(); got != size {
		t.Errorf("size = %d, want %d", got, size)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > size/4 {
		t.Errorf("%d bytes were allocated for a tarball of %d", allocated, size)
	}
	if err := doc.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzDecodeDocument holds the decoder against encoding/json: what is accepted
// means the same to both, and whatever happens no spool stays open.
func FuzzDecodeDocument(f *testing.F) {
	f.Add([]byte(publishBody("@acme/lib", "1.0.0", []byte("tarball"))), byte(200))
	f.Add([]byte(`{"_attachments":{"a.tgz":{"data":"\/\/79\u002b\u0076c\u003d","length":5}},"versions":{"1":{"readme":"x\ud800"}}}`), byte(0))
	f.Add([]byte(`{"_id":"a","_rev":"1","users":{"a":true},"maintainers":[],"dist-tags":{"a":"1"}}`), byte(7))
	f.Add([]byte(`{"_attachments":{"a.tgz":{"data":"YQ=="},"a.sigstore":{"data":"{}"}}}`), byte(1))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, in []byte, step byte) {
		var made []*registry.Spool
		doc, err := DecodeDocument(&stepReader{in, int(step)}, DecodeOptions{NewSpool: func() (*registry.Spool, error) {
			made = append(made, registry.NewSpool(dir, 1<<20))
			return made[len(made)-1], nil
		}})
		if err != nil {
			if kind := registry.KindOf(err); kind != registry.Invalid && kind != registry.TooLarge {
				t.Fatalf("kind of %v", err)
			}
			for _, s := range made {
				if _, err := s.Open(); err == nil {
					t.Fatal("a spool stays open")
				}
			}
			return
		}
		defer func() {
			if err := doc.Close(); err != nil {
				t.Error(err)
			}
		}()
		var want struct {
			ID          string                     `json:"_id"`
			Name        string                     `json:"name"`
			DistTags    map[string]string          `json:"dist-tags"`
			Versions    map[string]json.RawMessage `json:"versions"`
			Attachments map[string]struct {
				Data string `json:"data"`
			} `json:"_attachments"`
		}
		if err := json.Unmarshal(lowerCaseKeysOnly(t, in), &want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", in, err)
		}
		if doc.ID != want.ID || doc.Name != want.Name || len(doc.Versions) != len(want.Versions) || len(doc.DistTags) != len(want.DistTags) {
			t.Errorf("%q was read as %+v", in, doc)
		}
		for key, a := range doc.Attachments {
			data, err := base64.StdEncoding.DecodeString(want.Attachments[key].Data)
			if err != nil || !bytes.Equal(data, spoolBytes(t, a.Spool)) {
				t.Errorf("%q: tarball %q is %q (%v)", in, key, spoolBytes(t, a.Spool), err)
			}
		}
		for _, v := range doc.Versions {
			if !json.Valid(v.Raw) {
				t.Errorf("%q: version %q is %q", in, v.Key, v.Raw)
			}
			if _, err := StripManifest(v.Raw); err != nil {
				t.Errorf("%q: %v", v.Raw, err)
			}
		}
	})
}

// lowerCaseKeysOnly drops the members of an object whose key differs by case
// from what encoding/json would match with a field.
func lowerCaseKeysOnly(t *testing.T, in []byte) []byte {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(in, &object); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", in, err)
	}
	for key := range object {
		if key != strings.ToLower(key) {
			delete(object, key)
		}
	}
	if files, ok := object["_attachments"]; ok {
		var inner map[string]map[string]json.RawMessage
		if err := json.Unmarshal(files, &inner); err != nil {
			t.Fatal(err)
		}
		for _, file := range inner {
			for key := range file {
				if key != "data" {
					delete(file, key)
				}
			}
		}
		encoded, err := json.Marshal(inner)
		if err != nil {
			t.Fatal(err)
		}
		object["_attachments"] = encoded
	}
	encoded, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// BenchmarkDecodeDocument measures a publish body in bytes of base64: the
// decoder alone would need a writer that does nothing, which sink is.
func BenchmarkDecodeDocument(b *testing.B) {
	const size = 32 << 20
	tarball := make([]byte, size)
	if _, err := rand.NewChaCha8([32]byte{}).Read(tarball); err != nil {
		b.Fatal(err)
	}
	body := []byte(publishBody("a", "1.0.0", tarball))
	b.Run("publish", func(b *testing.B) {
		dir := b.TempDir()
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			doc, err := DecodeDocument(bytes.NewReader(body), DecodeOptions{NewSpool: func() (*registry.Spool, error) { return registry.NewSpool(dir, 0), nil }})
			if err != nil {
				b.Fatal(err)
			}
			if err := doc.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("scan and base64", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			s := newScanner(bytes.NewReader(body[bytes.Index(body, []byte(`"data":"`))+8:]), 1<<20)
			sink := base64Sink{w: io.Discard}
			if err := s.pour(sink.write); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("packument", func(b *testing.B) {
		doc := []byte(`{"name":"lib","versions":{`)
		for i := range 10_000 {
			if i > 0 {
				doc = append(doc, ',')
			}
			doc = append(appendCount(append(doc, `"1.0.`...), i), `":{"name":"lib","version":"1.0.0","description":"a package that does something or other","dependencies":{"lodash":"^4.17.21","react":"^18.0.0","@types/node":"*"},"scripts":{"test":"node --test","build":"tsc -p ."},"license":"MIT","dist":{"integrity":"sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==","shasum":"0000000000000000000000000000000000000000","tarball":"http://localhost/lib/-/lib-1.0.0.tgz"}}`...)
		}
		doc = append(doc, `}}`...)
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeDocument(bytes.NewReader(doc), DecodeOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	if entries, err := os.ReadDir(b.TempDir()); err != nil || len(entries) > 0 {
		b.Fatal(entries, err)
	}
}
