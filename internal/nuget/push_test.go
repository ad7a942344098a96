package nuget

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// One package in all spellings of its id and version (nuget.md 0.1, 4).
func TestPushThenRead(t *testing.T) {
	w := newWorld(t)
	body := w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0"})
	for _, path := range []string{
		"/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", "/download/ACME.Log/1.0/Acme.LOG.1.0.0.0.nupkg",
		"/download/Acme.Log/01.0.0+x/acme.log.1.nupkg", "//download/acme.log/1.0.0/acme.log.1.0.0.nupkg",
	} {
		a := w.want(w.get(demo, path, w.read), http.StatusOK)
		if !bytes.Equal(a.Body.Bytes(), body) {
			t.Errorf("%s: other bytes", path)
		}
		if got := a.Header().Get("Content-Type"); got != "application/octet-stream" {
			t.Errorf("%s: type %s", path, got)
		}
	}
	for _, path := range []string{
		"/download/acme.log/1.0.0/acme.log.1.0.1.nupkg", "/download/acme.log/1.0.0/acme.1.0.0.nupkg", "/download/acme.log/1.0.1/acme.log.1.0.1.nupkg",
		"/download/acme.log/latest/acme.log.latest.nupkg", "/download/acme.log/1.0.0/acme.log.1.0.0.snupkg", "/download/acme.log/1.0.0/icon",
		"/download/acme.log/1.0.0/readme", "/download/acme.log/1.0.0/license", "/download/acme.logs/index.json", "/metadata/acme.logs/index.json",
		"/download/" + strings.Repeat("a", 101) + "/index.json", "/download/a%2Fb/index.json", "/download/acme..log/index.json",
		"/metadata/acme.log/v1.json", "/metadata/acme.log/page/1.0.0/x.json", "/nothing", "/download/acme.log/1.0.0/other.nuspec",
	} {
		w.want(w.get(demo, path, w.read), http.StatusNotFound)
	}
	head := w.want(w.call(http.MethodHead, demo+"/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", w.read, nil), http.StatusOK)
	if got := head.Header().Get("Content-Length"); got != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: length %s", got)
	}
	part := w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", w.read, "Range", "bytes=0-3"), http.StatusPartialContent)
	if part.Body.String() != "PK\x03\x04" {
		t.Errorf("range: %q", part.Body)
	}
}

// Every way in which clients send a package, to every address.
func TestPushForms(t *testing.T) {
	w := newWorld(t)
	n := 0
	next := func() []byte {
		n++
		return buildNupkg(t, nupkgSpec{Version: fmt.Sprintf("1.0.%d", n)})
	}
	for _, path := range []string{"", "/", "/package", "/package/", "/v2", "/v2/", "/v2/package", "/v2/package/"} {
		w.want(w.push(demo+path, w.write, next()), http.StatusCreated)
	}
	post, contentType := form(t, next())
	w.want(w.call(http.MethodPost, demo, w.write, post, "Content-Type", contentType), http.StatusCreated)
	w.want(w.call(http.MethodPut, demo, w.write, bytes.NewReader(next())), http.StatusCreated)
	w.want(w.call(http.MethodPut, demo, w.write, bytes.NewReader(next()), "Content-Type", "application/octet-stream"), http.StatusCreated)
	w.want(w.push(demo, "", next(), "Authorization", basicHeader("writer", w.write)), http.StatusCreated)
	w.want(w.push(demo, "az", next(), "Authorization", basicHeader("writer", w.write)), http.StatusCreated)
	w.want(w.push(demo, w.write, next(), "Authorization", basicHeader("writer", w.write)), http.StatusCreated)
	w.want(w.push("/api/v4/projects/acme%2Fdemo/packages/nuget", w.ann, next()), http.StatusCreated)
	if got := len(w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusOK).texts(t, "versions")); got != n {
		t.Errorf("%d versions, want %d", got, n)
	}
}

// Who may not push, and what they are told.
func TestPushRefused(t *testing.T) {
	w := newWorld(t)
	body := buildNupkg(t, nupkgSpec{})
	tests := []struct {
		name, target, key, basic string
		status                   int
	}{
		{name: "nobody", target: demo, status: 401},
		{name: "unknown", target: demo, key: "gldt-nobodyknowsthis", status: 401},
		{name: "read token", target: demo, key: w.read, status: 403},
		{name: "foreign token", target: demo, key: w.foreign, status: 404},
		{name: "foreign token, public project", target: "/api/v4/projects/5/packages/nuget", key: w.write, status: 403},
		{name: "wrong user name", target: demo, basic: basicHeader("reader", w.write), status: 401},
		{name: "wrong password", target: demo, basic: basicHeader("writer", "x"), status: 401},
		{name: "unknown project", target: "/api/v4/projects/99/packages/nuget", key: w.write, status: 404},
		{name: "unknown project, nobody", target: "/api/v4/projects/99/packages/nuget", status: 401},
		{name: "group", target: acme, key: w.group, status: 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var header []string
			if tt.basic != "" {
				header = []string{"Authorization", tt.basic}
			}
			a := w.push(tt.target, tt.key, body, header...)
			if a.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", a.Code, tt.status, a.Body)
			}
			if got := a.Header().Get("Www-Authenticate"); (got == challenge) != (tt.status == 401) {
				t.Errorf("challenge %q", got)
			}
			// Clients answer a challenge by themselves; everything else is printed.
			silent := tt.status == 401 && tt.key == "" && tt.basic == ""
			if got := a.Header().Get("X-Nuget-Warning"); (got == "") != silent {
				t.Errorf("warning %q", got)
			}
		})
	}
	w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusNotFound)
}

// A version exists once, in whatever spelling; the text tells a retry from
// another package.
func TestPushTwice(t *testing.T) {
	w := newWorld(t)
	body := w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0.0+a"})
	again := w.want(w.push(demo, w.write, body), http.StatusConflict)
	if got := again.Header().Get("X-Nuget-Warning"); !strings.Contains(got, "the same bytes") || !strings.HasPrefix(got, "A package with the same name and version already exists") {
		t.Errorf("same bytes: %q", got)
	}
	for _, version := range []string{"1.0", "1.0.0.0", "01.0.0", "1.0.0+b"} {
		other := w.want(w.push(demo, w.write, buildNupkg(t, nupkgSpec{ID: "ACME.log", Version: version})), http.StatusConflict)
		if !strings.Contains(other.Body.String(), "other bytes") {
			t.Errorf("%s: %s", version, other.Body)
		}
	}
	w.want(w.push(demo, w.write, buildNupkg(t, nupkgSpec{ID: "ACME.log", Version: "1.0.1"})), http.StatusCreated)
	list := w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusOK).texts(t, "versions")
	if diff := cmp.Diff(list, []string{"1.0.0", "1.0.1"}); diff != "" {
		t.Error(diff)
	}
	w.want(w.call(http.MethodDelete, demo+"/acme.log/1.0", w.write, nil), http.StatusNoContent)
	unlisted := w.want(w.push(demo, w.write, body), http.StatusConflict)
	if !strings.Contains(unlisted.Body.String(), "unlisted") {
		t.Errorf("unlisted: %s", unlisted.Body)
	}
}

// Of pushes at the same time one wins, and its bytes stay.
func TestPushAtOnce(t *testing.T) {
	w := newWorld(t)
	const pushers = 20
	var done sync.WaitGroup
	answers := make([]answer, pushers)
	bodies := make([][]byte, pushers)
	for i := range pushers {
		bodies[i] = buildNupkg(t, nupkgSpec{Version: "1.0.0", Metadata: fmt.Sprintf("<title>%d</title>", i)})
		done.Go(func() { answers[i] = w.push(demo, w.write, bodies[i]) })
	}
	done.Wait()
	winner := -1
	for i, a := range answers {
		switch {
		case a.Code == http.StatusCreated && winner < 0:
			winner = i
		case a.Code != http.StatusConflict:
			t.Errorf("push %d: %d %s", i, a.Code, a.Body)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	got := w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", w.read), http.StatusOK)
	if !bytes.Equal(got.Body.Bytes(), bodies[winner]) {
		t.Error("the bytes are not the winner's")
	}
}

// Different versions pushed at the same time are all found, and the newest
// represents the package.
func TestPushManyAtOnce(t *testing.T) {
	w := newWorld(t)
	var done sync.WaitGroup
	for i := range 12 {
		body := buildNupkg(t, nupkgSpec{Version: fmt.Sprintf("1.%d.0", i)})
		done.Go(func() {
			if a := w.push(demo, w.write, body); a.Code != http.StatusCreated {
				t.Errorf("push: %d %s", a.Code, a.Body)
			}
		})
	}
	done.Wait()
	result := w.want(w.get(demo, "/query", w.read), http.StatusOK)
	if got := result.field(t, "data", 0, "version"); got != "1.11.0" {
		t.Errorf("newest version is %v", got)
	}
	if got, ok := result.field(t, "data", 0, "versions").([]any); !ok || len(got) != 12 {
		t.Errorf("versions: %v", got)
	}
}

// broken is a body that breaks off.
type broken struct {
	from io.Reader
	err  error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.err
	}
	return n, err
}

// Bad input is 400 or 413, is told, and stores nothing (nuget.md 15).
func TestPushBadInput(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxUpload = 64 << 10 })
	good := buildNupkg(t, nupkgSpec{})
	whole, contentType := form(t, good)
	raw, err := io.ReadAll(whole)
	check(t, err)
	empty, emptyType := form(t, nil)
	symbols, symbolsType := form(t, buildSnupkg(t, nupkgSpec{}))
	big, bigType := form(t, bytes.Repeat([]byte("x"), 65<<10))
	tests := []struct {
		name        string
		body        io.Reader
		contentType string
		status      int
		text        string
	}{
		{"no boundary", bytes.NewReader(raw), "multipart/form-data", 400, "boundary"},
		{"another boundary", bytes.NewReader(raw), "multipart/form-data; boundary=other", 400, "form"},
		{"empty form", strings.NewReader("--b--\r\n"), "multipart/form-data; boundary=b", 400, "empty"},
		{"empty part", empty, emptyType, 400, "empty"},
		{"nothing", strings.NewReader(""), "", 400, "neither"},
		{"text", strings.NewReader("hello world"), "text/plain", 400, "neither"},
		{"form cut off", bytes.NewReader(raw[:len(raw)/2]), contentType, 400, "broke off"},
		{"form broken", broken{bytes.NewReader(raw[:len(raw)/2]), io.ErrUnexpectedEOF}, contentType, 400, "broke off"},
		{"raw cut off", broken{bytes.NewReader(good[:len(good)/2]), io.ErrUnexpectedEOF}, "", 400, "broke off"},
		{"raw half", bytes.NewReader(good[:len(good)/2]), "", 400, ""},
		{"not a zip", bytes.NewReader([]byte("PK\x03\x04 and no more")), "", 400, ""},
		{"symbols", symbols, symbolsType, 400, "symbolpackage"},
		{"too large", big, bigType, 413, "65536"},
		{"no id", bytes.NewReader(buildNupkg(t, nupkgSpec{Nuspec: "<package><metadata><version>1</version></metadata></package>"})), "", 400, "id"},
		{"dtd", bytes.NewReader(buildNupkg(t, nupkgSpec{Nuspec: "<!DOCTYPE x><package/>"})), "", 400, ""},
		{"bad range", bytes.NewReader(buildNupkg(t, nupkgSpec{Metadata: `<dependencies><dependency id="A" version="1.*"/></dependencies>`})), "", 400, "floats"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.call(http.MethodPut, demo, w.write, tt.body, "Content-Type", tt.contentType)
			if a.Code != tt.status || !strings.Contains(a.Body.String(), tt.text) {
				t.Errorf("%d %s, want %d with %q", a.Code, a.Body, tt.status, tt.text)
			}
			if a.Header().Get("X-Nuget-Warning") != strings.TrimSpace(a.Body.String()) {
				t.Errorf("warning %q is not the text", a.Header().Get("X-Nuget-Warning"))
			}
		})
	}
	w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusNotFound)
	_, total, err := w.packages.ListPackages(t.Context(), registry.PackageFilter{Readers: registry.Readers{All: true}}, registry.Page{Number: 1, Size: 1})
	if err != nil || total != 0 {
		t.Errorf("%d packages stored, %v", total, err)
	}
}

// Where duplicates are allowed, a push takes the place of the version; an
// exception may allow it for some.
func TestDuplicatesAllowed(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{Version: "1.0.0-ci", Metadata: "<tags>old</tags>"})
	w.publish(nupkgSpec{Version: "1.0.0", Metadata: "<tags>old</tags>"})
	replace := func(version string) answer {
		return w.push(demo, w.write, buildNupkg(t, nupkgSpec{Version: version, Metadata: "<tags>fresh</tags>"}))
	}
	w.want(replace("1.0.0"), http.StatusConflict)
	w.set(1, settingExceptions, `1\.0\.0-.*`)
	w.want(replace("1.0.0-ci"), http.StatusCreated)
	w.want(replace("1.0.0"), http.StatusConflict)
	for version, lasting := range map[string]bool{"1.0.0": true, "1.0.0-ci": false} {
		a := w.want(w.get(demo, "/download/acme.log/"+version+"/acme.log."+version+".nupkg", w.read), http.StatusOK)
		if got := a.Header().Get("Cache-Control"); strings.Contains(got, "immutable") != lasting {
			t.Errorf("%s: caching %q", version, got)
		}
	}
	w.want(w.call(http.MethodDelete, demo+"/Acme.Log/1.0.0", w.write, nil), http.StatusNoContent)
	w.set(1, settingDuplicates, "true")
	w.want(replace("1.0.0-ci"), http.StatusConflict) // excepted from what is allowed
	w.want(replace("1.0"), http.StatusCreated)
	found := w.want(w.get(demo, "/query?q=tags:fresh", w.read), http.StatusOK)
	if got := found.field(t, "totalHits"); got != 1.0 {
		t.Errorf("after the replacement: %v hits", got)
	}
	if got := w.want(w.get(demo, "/query?q=old", w.read), http.StatusOK).field(t, "totalHits"); got != 0.0 {
		t.Errorf("the words of the old version are found: %v hits", got)
	}
	leaf := w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK)
	if diff := cmp.Diff(leaf.texts(t, "items", 0, "items", 1, "catalogEntry", "tags"), []string{"fresh"}); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.nuspec", w.read), http.StatusOK).Body.String(), "fresh") {
		t.Error("the nuspec is the old one")
	}
	w.set(1, settingDelete, "delete")
	w.want(w.call(http.MethodDelete, demo+"/Acme.Log/1.0.0", w.write, nil), http.StatusNoContent)
	w.want(replace("1.0.0"), http.StatusConflict) // deleted for good
}

// What a nuspec loses is told to the publisher, and the push succeeds.
func TestPushWarns(t *testing.T) {
	w := newWorld(t)
	a := w.push(demo, w.write, buildNupkg(t, nupkgSpec{Metadata: "<projectUrl>javascript:alert(1)</projectUrl>"}))
	w.want(a, http.StatusCreated)
	if a.Header().Get("X-Nuget-Warning") == "" {
		t.Error("no warning")
	}
}
