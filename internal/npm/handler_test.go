package npm_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/npm"
	"pakhus/internal/registry"
)

const abbreviated = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

func TestPublishAndRead(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0", manifest: object{
		"description": "a library", "dependencies": object{"left": "^1.0.0"}, "exports": object{".": "./index.js"}, "readme": "# Lib",
		"scripts": object{"postinstall": "true"},
	}})
	full := w.want(w.call(http.MethodGet, demo+"/@acme%2flib", w.read, nil), http.StatusOK)
	wantURL := externalURL + demo + "/@acme/lib/-/lib-1.0.0.tgz"
	if got := full.field(t, "versions", "1.0.0", "dist", "tarball"); got != wantURL {
		t.Errorf("tarball = %v, want %s", got, wantURL)
	}
	if got := full.field(t, "versions", "1.0.0", "exports"); fmt.Sprint(got) != "map[.:./index.js]" {
		t.Errorf("exports = %v: a field nobody listed must stay", got)
	}
	if full.field(t, "readme") != "# Lib" || full.field(t, "versions", "1.0.0", "readme") != nil {
		t.Error("the readme belongs to the top of the document, not to each version")
	}
	for _, key := range []string{"_id", "_rev", "time", "maintainers", "description"} {
		if full.field(t, key) == nil {
			t.Errorf("the full document has no %s", key)
		}
	}
	if full.field(t, "time", "1.0.0") == nil || full.field(t, "dist-tags", "latest") != "1.0.0" {
		t.Errorf("time or latest is missing: %s", full.Body)
	}
	short := w.want(w.call(http.MethodGet, demo+"/@acme/lib", w.read, nil, "Accept", abbreviated), http.StatusOK)
	if got := short.Header().Get("Content-Type"); got != "application/vnd.npm.install-v1+json" {
		t.Errorf("Content-Type = %s", got)
	}
	if short.field(t, "versions", "1.0.0", "hasInstallScript") != true || short.field(t, "versions", "1.0.0", "exports") != nil ||
		short.field(t, "time", "1.0.0") == nil || short.field(t, "modified") == nil || short.field(t, "_rev") != nil {
		t.Errorf("abbreviated document: %s", short.Body)
	}
	tarball := w.want(w.call(http.MethodGet, demo+"/@acme/lib/-/lib-1.0.0.tgz", w.read, nil), http.StatusOK)
	if !bytes.Equal(tarball.Body.Bytes(), (pkg{name: "@acme/lib", version: "1.0.0", manifest: object{
		"description": "a library", "dependencies": object{"left": "^1.0.0"}, "exports": object{".": "./index.js"}, "readme": "# Lib",
		"scripts": object{"postinstall": "true"},
	}}).archive(t)) {
		t.Error("the tarball's bytes changed")
	}
	if got := tarball.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") || !strings.Contains(got, "private") {
		t.Errorf("Cache-Control of a private tarball = %q", got)
	}
}

// Every prefix serves tarballs in every spelling, and emits its own address.
func TestPrefixesAndSpellings(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	prefixes := []string{
		demo, "/api/v4/projects/acme%2Fdemo/packages/npm", "/api/v4/projects/acme%2fdemo/packages/npm",
		"/api/v4/groups/1/-/packages/npm", "/api/v4/groups/acme/-/packages/npm", "/api/v4/packages/npm",
	}
	for _, prefix := range prefixes {
		for _, name := range []string{"@acme%2flib", "@acme%2Flib", "%40acme%2flib", "@acme/lib"} {
			doc := w.want(w.call(http.MethodGet, prefix+"/"+name, w.group, nil), http.StatusOK)
			if got, want := doc.field(t, "versions", "1.0.0", "dist", "tarball"), externalURL+prefix+"/@acme/lib/-/lib-1.0.0.tgz"; got != want {
				t.Errorf("%s: tarball = %v, want %s", prefix, got, want)
			}
			for _, file := range []string{"/-/lib-1.0.0.tgz", "/-/@acme/lib-1.0.0.tgz"} {
				w.want(w.call(http.MethodGet, prefix+"/"+name+file, w.group, nil), http.StatusOK)
				w.want(w.call(http.MethodHead, prefix+"/"+name+file, w.group, nil), http.StatusOK)
			}
		}
	}
}

func TestGitLabTarballURLs(t *testing.T) {
	w := newWorld(t, func(o *npm.Options) { o.Tarballs = npm.GitLabTarballs })
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	doc := w.want(w.call(http.MethodGet, "/api/v4/groups/acme/-/packages/npm/@acme%2flib", w.group, nil), http.StatusOK)
	if got, want := doc.field(t, "versions", "1.0.0", "dist", "tarball"), externalURL+demo+"/@acme/lib/-/@acme/lib-1.0.0.tgz"; got != want {
		t.Errorf("tarball = %v, want %s", got, want)
	}
}

func TestConditionalRequests(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	for _, accept := range []string{abbreviated, "application/json"} {
		for _, coding := range []string{"", "gzip, deflate", "zstd, gzip"} {
			get := func(tag string) answer {
				return w.call(http.MethodGet, demo+"/lib", w.read, nil, "Accept", accept, "Accept-Encoding", coding, "If-None-Match", tag)
			}
			first := w.want(get(""), http.StatusOK)
			if first.Header().Get("Content-Length") == "" || !strings.Contains(first.Header().Get("Vary"), "Accept") {
				t.Errorf("headers: %v", first.Header())
			}
			w.want(get(first.Header().Get("Etag")), http.StatusNotModified)
		}
	}
	before := w.call(http.MethodGet, demo+"/lib", w.read, nil).Header().Get("Etag")
	w.publish(pkg{name: "lib", version: "1.0.1"})
	w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil, "If-None-Match", before), http.StatusOK)
}

func TestGzippedPackument(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	a := w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil, "Accept-Encoding", "gzip"), http.StatusOK)
	r, err := gzip.NewReader(a.Body)
	check(t, err)
	plain, err := io.ReadAll(r)
	check(t, err)
	if want := w.call(http.MethodGet, demo+"/lib", w.read, nil).Body.Bytes(); !bytes.Equal(plain, want) {
		t.Errorf("gzip says %s, identity %s", plain, want)
	}
}

func TestDuplicates(t *testing.T) {
	w := newWorld(t)
	first := pkg{name: "lib", version: "1.0.0"}
	w.publish(first)
	w.publish(first) // npm's own retry after a lost answer
	other := pkg{name: "lib", version: "1.0.0", manifest: object{"main": "other.js"}}
	a := w.want(w.call(http.MethodPut, demo+"/lib", w.write, other.body(t)), http.StatusForbidden)
	for _, words := range []string{"You cannot publish over the previously published versions: 1.0.0", "Package already exists."} {
		if text, ok := a.field(t, "error").(string); !ok || !strings.Contains(text, words) || a.field(t, "message") != text {
			t.Errorf("error = %v, want %q in it, and the same as message", text, words)
		}
	}
	w.want(w.call(http.MethodPut, demo+"/lib", w.group, first.body(t)), http.StatusForbidden) // somebody else
	w.clock.advance(time.Hour)
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, first.body(t)), http.StatusForbidden) // too late for a retry
}

func TestFirstVersionBecomesLatest(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0-beta.1", tag: "beta"})
	w.publish(pkg{name: "lib", version: "1.0.0-beta.2", tag: "beta"})
	doc := w.call(http.MethodGet, demo+"/lib", w.read, nil)
	if got := fmt.Sprint(doc.field(t, "dist-tags")); got != "map[beta:1.0.0-beta.2 latest:1.0.0-beta.1]" {
		t.Errorf("dist-tags = %s", got)
	}
}

func TestParallelPublishes(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 100 {
		body := pkg{name: "lib", version: fmt.Sprintf("1.0.%d", i)}.body(t)
		wg.Go(func() {
			if a := w.call(http.MethodPut, demo+"/lib", w.write, body); a.Code != http.StatusOK {
				t.Errorf("publish %d: %d %s", i, a.Code, a.Body)
			}
		})
	}
	wg.Wait()
	doc := w.call(http.MethodGet, demo+"/lib", w.read, nil)
	if got := len(versions(t, doc)); got != 100 {
		t.Errorf("%d versions, want 100", got)
	}
	if rev, ok := doc.field(t, "_rev").(string); !ok || !strings.HasPrefix(rev, "100-") {
		t.Errorf("_rev = %v after 100 publishes", rev)
	}
}

func TestOneVersionHasOneWinner(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	codes := map[int]int{}
	for i := range 10 {
		body := pkg{name: "lib", version: "1.0.0", manifest: object{"main": fmt.Sprintf("%d.js", i)}}.body(t)
		wg.Go(func() {
			a := w.call(http.MethodPut, demo+"/lib", w.write, body)
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	wg.Wait()
	if codes[http.StatusOK] != 1 || codes[http.StatusForbidden] != 9 {
		t.Errorf("answers: %v, want one 200 and nine 403", codes)
	}
}

func TestDistTags(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	w.publish(pkg{name: "@acme/lib", version: "2.0.0"})
	tags := demo + "/-/package/@acme%2flib/dist-tags"
	put := w.want(w.call(http.MethodPut, tags+"/stable", w.write, `"1.0.0"`), http.StatusOK)
	if put.field(t, "ok") != true {
		t.Error("yarn 1 needs ok in the answer")
	}
	w.want(w.call(http.MethodPost, tags+"/next", w.write, `{"version":"2.0.0"}`), http.StatusOK)
	w.want(w.call(http.MethodPut, tags+"/latest", w.write, `"1.0.0"`), http.StatusOK)
	if got := w.call(http.MethodGet, tags, w.read, nil).Body.String(); got != `{"latest":"1.0.0","next":"2.0.0","stable":"1.0.0"}` {
		t.Errorf("tags = %s", got)
	}
	w.want(w.call(http.MethodDelete, tags+"/stable", w.write, nil), http.StatusOK)
	for name, tt := range map[string]struct {
		method, path, body string
		want               int
	}{
		"delete latest":         {http.MethodDelete, "/latest", "", http.StatusBadRequest},
		"delete unknown tag":    {http.MethodDelete, "/stable", "", http.StatusNotFound},
		"unknown version":       {http.MethodPut, "/x-tag", `"9.9.9"`, http.StatusNotFound},
		"version as tag":        {http.MethodPut, "/1.0.0", `"1.0.0"`, http.StatusBadRequest},
		"range as tag":          {http.MethodPut, "/%5E1", `"1.0.0"`, http.StatusBadRequest},
		"star as tag":           {http.MethodPut, "/*", `"1.0.0"`, http.StatusBadRequest},
		"1 KiB tag":             {http.MethodPut, "/" + strings.Repeat("a", 1024), `"1.0.0"`, http.StatusBadRequest},
		"dot segments as tag":   {http.MethodPut, "/..%2fx", `"1.0.0"`, http.StatusBadRequest},
		"__proto__ is legal":    {http.MethodPut, "/__proto__", `"1.0.0"`, http.StatusOK},
		"number":                {http.MethodPut, "/n", `1`, http.StatusBadRequest},
		"empty body":            {http.MethodPut, "/n", ``, http.StatusBadRequest},
		"body over 4 KiB":       {http.MethodPut, "/n", `"` + strings.Repeat("1", 5000) + `"`, http.StatusRequestEntityTooLarge},
		"tag of absent package": {http.MethodPut, "/../../nope/dist-tags/n", `"1.0.0"`, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			if a := w.call(tt.method, tags+tt.path, w.write, tt.body); a.Code != tt.want {
				t.Errorf("status = %d, want %d\n%s", a.Code, tt.want, a.Body)
			}
		})
	}
	w.want(w.call(http.MethodGet, demo+"/-/package/nope/dist-tags", w.read, nil), http.StatusNotFound)
	w.want(w.call(http.MethodPut, tags+"/other", w.read, `"1.0.0"`), http.StatusForbidden)
	w.want(w.call(http.MethodDelete, tags+"/next", w.read, nil), http.StatusForbidden)
}

func TestDeprecate(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	doc := w.call(http.MethodGet, demo+"/lib?write=true", w.write, nil).field(t).(map[string]any)
	w.publish(pkg{name: "lib", version: "1.1.0"}) // the document is stale now
	version := doc["versions"].(map[string]any)["1.0.0"].(map[string]any)
	version["deprecated"] = "use 2.x"
	w.want(w.call(http.MethodPut, demo+"/lib", w.read, doc), http.StatusForbidden)
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, doc), http.StatusOK)
	for _, accept := range []string{abbreviated, "application/json"} {
		now := w.call(http.MethodGet, demo+"/lib", w.read, nil, "Accept", accept)
		if got := now.field(t, "versions", "1.0.0", "deprecated"); got != "use 2.x" {
			t.Errorf("deprecated = %v", got)
		}
		if got := versions(t, now); len(got) != 2 {
			t.Errorf("a version that the document did not know is gone: %v", got)
		}
	}
	version["deprecated"] = ""
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, doc), http.StatusOK)
	if got := w.call(http.MethodGet, demo+"/lib", w.read, nil).field(t, "versions", "1.0.0", "deprecated"); got != nil {
		t.Errorf("deprecated = %v after it was taken back", got)
	}
	version["dependencies"] = object{"evil": "1"}
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, doc), http.StatusForbidden)
	delete(version, "dependencies")
	version["dist"].(map[string]any)["integrity"] = "sha512-AAAA"
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, doc), http.StatusForbidden)
}

// readForWrite reads the document as npm does before it changes it.
func (w *world) readForWrite(name string) (doc map[string]any, rev string) {
	w.t.Helper()
	doc, ok := w.want(w.call(http.MethodGet, demo+"/"+name+"?write=true", w.write, nil), http.StatusOK).field(w.t).(map[string]any)
	if !ok {
		w.t.Fatal("no document")
	}
	return doc, doc["_rev"].(string)
}

func TestUnpublishVersion(t *testing.T) {
	w := newWorld(t)
	for _, v := range []string{"1.0.0", "1.1.0", "2.0.0-rc.1"} {
		w.publish(pkg{name: "lib", version: v})
	}
	w.want(w.call(http.MethodPut, demo+"/-/package/lib/dist-tags/latest", w.write, `"1.1.0"`), http.StatusOK)
	doc, rev := w.readForWrite("lib")
	delete(doc["versions"].(map[string]any), "1.1.0")
	delete(doc["dist-tags"].(map[string]any), "latest")
	w.want(w.call(http.MethodPut, demo+"/lib/-rev/1-0", w.write, doc), http.StatusConflict)
	w.want(w.call(http.MethodPut, demo+"/lib/-rev/undefined", w.write, doc), http.StatusConflict)
	w.want(w.call(http.MethodPut, demo+"/lib/-rev/"+rev, w.read, doc), http.StatusForbidden)
	w.want(w.call(http.MethodPut, demo+"/lib/-rev/"+rev, w.write, doc), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/lib/-/lib-1.1.0.tgz", w.read, nil), http.StatusNotFound)
	now, rev := w.readForWrite("lib")
	if got := fmt.Sprint(now["dist-tags"]); got != "map[latest:1.0.0]" {
		t.Errorf("dist-tags = %s: latest must be the highest stable version", got)
	}
	for _, path := range []string{"/lib/-/lib-1.1.0.tgz/-rev/" + rev, demo + "/lib/-/lib-1.1.0.tgz/-rev/" + rev, "/lib/-/lib-1.1.0.tgz"} {
		w.want(w.call(http.MethodDelete, demo+path, w.write, nil), http.StatusOK)
	}
	w.want(w.call(http.MethodDelete, demo+"/lib/-/lib-1.0.0.tgz/-rev/"+rev, w.write, nil), http.StatusConflict)
	w.want(w.call(http.MethodGet, demo+"/lib/-/lib-1.0.0.tgz", w.read, nil), http.StatusOK)
	again := w.want(w.call(http.MethodPut, demo+"/lib", w.write, pkg{name: "lib", version: "1.1.0"}.body(t)), http.StatusForbidden)
	if !strings.Contains(again.Body.String(), "unpublished") {
		t.Errorf("the refusal does not explain itself: %s", again.Body)
	}
}

func TestUnpublishPackage(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	_, rev := w.readForWrite("lib")
	w.want(w.call(http.MethodDelete, demo+"/lib/-rev/0-0", w.write, nil), http.StatusConflict)
	w.want(w.call(http.MethodDelete, demo+"/lib", w.write, nil), http.StatusConflict)
	w.want(w.call(http.MethodDelete, demo+"/lib/-rev/"+rev, w.read, nil), http.StatusForbidden)
	w.want(w.call(http.MethodGet, demo+"/lib/-/lib-1.0.0.tgz", w.read, nil), http.StatusOK)
	w.want(w.call(http.MethodDelete, demo+"/lib/-rev/"+rev, w.write, nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil), http.StatusNotFound)
	w.want(w.call(http.MethodGet, demo+"/lib/-/lib-1.0.0.tgz", w.read, nil), http.StatusNotFound)
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, pkg{name: "lib", version: "1.0.0"}.body(t)), http.StatusForbidden)
	w.publish(pkg{name: "lib", version: "1.0.1"})
	if got := versions(t, w.call(http.MethodGet, demo+"/lib", w.read, nil)); fmt.Sprint(got) != "[1.0.1]" {
		t.Errorf("versions = %v", got)
	}
}

// yarn 1 owner sends a document without revision and with one maintainer.
func TestOwnersAreRefused(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	doc, rev := w.readForWrite("lib")
	body := object{"_id": "lib", "maintainers": []object{{"name": "evil", "email": "e@x"}}}
	w.want(w.call(http.MethodPut, demo+"/lib/-rev/undefined", w.write, body), http.StatusConflict)
	w.want(w.call(http.MethodPut, demo+"/lib/-rev/"+rev, w.write, body), http.StatusForbidden)
	after, _ := w.readForWrite("lib")
	if fmt.Sprint(after["maintainers"]) != fmt.Sprint(doc["maintainers"]) {
		t.Errorf("maintainers = %v", after["maintainers"])
	}
}

func TestStars(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	star := object{"_id": "lib", "_rev": "1-1", "users": object{"ann": true}}
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, star), http.StatusForbidden) // a token is shared
	w.want(w.call(http.MethodPut, demo+"/lib", w.ann, star), http.StatusOK)
	if got := w.call(http.MethodGet, demo+"/lib", w.read, nil).field(t, "users", "ann"); got != true {
		t.Errorf("users.ann = %v", got)
	}
	if got := w.call(http.MethodGet, demo+`/-/_view/starredByUser?key=%22ann%22`, w.ann, nil).Body.String(); !strings.Contains(got, `{"value":"lib"}`) {
		t.Errorf("stars: %s", got)
	}
	w.want(w.call(http.MethodDelete, demo+"/-/user/v1/star", w.ann, object{"package": "lib"}), http.StatusOK)
	if got := w.call(http.MethodGet, demo+"/lib", w.read, nil).field(t, "users"); got != nil {
		t.Errorf("users = %v after the star was removed", got)
	}
}

func TestSingleVersion(t *testing.T) {
	w := newWorld(t)
	for _, v := range []string{"1.0.0", "1.2.0", "2.0.0"} {
		w.publish(pkg{name: "@acme/lib", version: v})
	}
	for wanted, version := range map[string]string{"1.0.0": "1.0.0", "latest": "2.0.0", "%5E1.0.0": "1.2.0", "1.x": "1.2.0", "*": "2.0.0"} {
		a := w.want(w.call(http.MethodGet, demo+"/@acme%2flib/"+wanted, w.read, nil), http.StatusOK)
		if a.field(t, "version") != version || a.field(t, "dist", "integrity") == nil {
			t.Errorf("%s gives %v", wanted, a.field(t, "version"))
		}
	}
	a := w.want(w.call(http.MethodGet, demo+"/@acme%2flib/9.9.9", w.read, nil), http.StatusNotFound)
	if a.field(t, "error") != "version not found: 9.9.9" {
		t.Errorf("error = %v", a.field(t, "error"))
	}
}

func TestGroupMergesProjects(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	lib := "/api/v4/projects/2/packages/npm/@acme%2flib"
	w.want(w.call(http.MethodPut, lib, w.group, pkg{name: "@acme/lib", version: "1.0.0", manifest: object{"main": "x"}}.body(t)), http.StatusOK)
	w.want(w.call(http.MethodPut, lib, w.group, pkg{name: "@acme/lib", version: "2.0.0"}.body(t)), http.StatusOK)
	group := "/api/v4/groups/acme/-/packages/npm"
	doc := w.want(w.call(http.MethodGet, group+"/@acme%2flib", w.group, nil), http.StatusOK)
	if got := versions(t, doc); fmt.Sprint(got) != "[1.0.0 2.0.0]" {
		t.Errorf("versions = %v", got)
	}
	if doc.field(t, "versions", "1.0.0", "main") != "x" || doc.field(t, "dist-tags", "latest") != "2.0.0" {
		t.Errorf("the version published last must win: %s", doc.Body)
	}
	// The tarball must be the one that the document describes.
	shasum := doc.field(t, "versions", "1.0.0", "dist", "integrity")
	single := w.call(http.MethodGet, "/api/v4/projects/2/packages/npm/@acme%2flib/1.0.0", w.group, nil)
	if single.field(t, "dist", "integrity") != shasum {
		t.Error("the merged document describes other bytes than it serves")
	}
	// A token of one project sees that project's part only.
	part := w.want(w.call(http.MethodGet, group+"/@acme%2flib", w.read, nil), http.StatusOK)
	if got := versions(t, part); fmt.Sprint(got) != "[1.0.0]" || part.field(t, "versions", "1.0.0", "main") != nil {
		t.Errorf("a project token sees %s", part.Body)
	}
	refused := w.want(w.call(http.MethodPut, group+"/@acme%2fnew", w.group, pkg{name: "@acme/new", version: "1.0.0"}.body(t)), http.StatusForbidden)
	if !strings.Contains(refused.Body.String(), "/projects/") {
		t.Errorf("the refusal does not say where to publish: %s", refused.Body)
	}
	w.want(w.call(http.MethodGet, group+"/@acme%2flib", w.foreign, nil), http.StatusNotFound)
	w.want(w.call(http.MethodGet, group+"/@acme%2flib", "", nil), http.StatusUnauthorized)
}

func TestWhoMayRead(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	expired := w.token(auth.NewDeployToken{Name: "old", Scopes: auth.ReadPackageRegistry, ProjectID: 1, ExpiresAt: w.clock.Now().Add(time.Minute)})
	w.clock.advance(time.Hour)
	for name, tt := range map[string]struct {
		path, token string
		want        int
	}{
		"anonymous, private":      {demo + "/lib", "", http.StatusUnauthorized},
		"anonymous, tarball":      {demo + "/lib/-/lib-1.0.0.tgz", "", http.StatusUnauthorized},
		"anonymous, absent":       {"/api/v4/projects/99/packages/npm/lib", "", http.StatusUnauthorized},
		"foreign token":           {demo + "/lib", w.foreign, http.StatusNotFound},
		"absent project":          {"/api/v4/projects/99/packages/npm/lib", w.read, http.StatusNotFound},
		"wrong token":             {demo + "/lib", "gldt-nonsense", http.StatusUnauthorized},
		"expired token":           {demo + "/lib", expired, http.StatusUnauthorized},
		"group token":             {demo + "/lib", w.group, http.StatusOK},
		"user":                    {demo + "/lib", w.ann, http.StatusOK},
		"absent package":          {demo + "/nope", w.read, http.StatusNotFound},
		"absent package, foreign": {demo + "/nope", w.foreign, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.call(http.MethodGet, tt.path, tt.token, nil)
			if a.Code != tt.want {
				t.Errorf("status = %d, want %d\n%s", a.Code, tt.want, a.Body)
			}
			if a.Header().Get("WWW-Authenticate") != "" {
				t.Error("npm hides our text behind its own when it is challenged")
			}
			if a.Code != http.StatusOK && (a.field(t, "error") == nil || a.Header().Get("Cache-Control") != "no-store") {
				t.Errorf("error answer: %v %s", a.Header(), a.Body)
			}
		})
	}
}

func TestPublicProject(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	p, err := w.packages.ProjectByID(t.Context(), 1)
	check(t, err)
	p.Visibility = registry.Public
	_, err = w.packages.UpdateProject(t.Context(), p, by)
	check(t, err)
	a := w.want(w.call(http.MethodGet, demo+"/lib", "", nil), http.StatusOK)
	if got := a.Header().Get("Cache-Control"); !strings.HasPrefix(got, "public") {
		t.Errorf("Cache-Control = %s", got)
	}
	w.want(w.call(http.MethodGet, demo+"/lib", "gldt-stale", nil), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, demo+"/lib", w.foreign, nil), http.StatusOK)
	w.want(w.call(http.MethodPut, demo+"/lib2", w.foreign, pkg{name: "lib2", version: "1.0.0"}.body(t)), http.StatusForbidden)
	w.want(w.call(http.MethodPut, demo+"/lib2", "", pkg{name: "lib2", version: "1.0.0"}.body(t)), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, "/api/v4/groups/acme/-/packages/npm/lib", "", nil), http.StatusOK)
}

func TestRevokedAtOnce(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil), http.StatusOK)
	check(t, w.tokens.RevokeDeployToken(t.Context(), 1, by))
	w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil), http.StatusUnauthorized)
}

func TestAccount(t *testing.T) {
	w := newWorld(t)
	w.want(w.call(http.MethodGet, demo+"/-/ping?write=true", "", nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/-/ping", "gldt-wrong", nil), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, demo+"/-/whoami", "", nil), http.StatusUnauthorized)
	if got := w.call(http.MethodGet, demo+"/-/whoami", w.read, nil).field(t, "username"); got != "gitlab+deploy-token-1" {
		t.Errorf("whoami = %v", got)
	}
	login := func(user, password string) answer {
		return w.call(http.MethodPut, demo+"/-/user/org.couchdb.user:"+user, "", object{"_id": "org.couchdb.user:" + user, "name": user, "password": password, "type": "user"})
	}
	token := w.want(login("ann", "correct horse"), http.StatusCreated).field(t, "token").(string)
	if got := w.call(http.MethodGet, demo+"/-/whoami", token, nil).field(t, "username"); got != "ann" {
		t.Errorf("whoami = %v", got)
	}
	if got := w.want(login("ci", w.read), http.StatusCreated).field(t, "token"); got != w.read {
		t.Error("a deploy token is handed back as it is")
	}
	w.want(login("ann", "wrong horse"), http.StatusUnauthorized)
	w.want(login("nobody", "correct horse"), http.StatusUnauthorized)
	w.want(w.call(http.MethodPost, demo+"/-/v1/login", "", object{}), http.StatusNotFound)
	w.want(w.call(http.MethodGet, demo+"/-/npm/v1/user", w.read, nil), http.StatusOK)
	list := w.want(w.call(http.MethodGet, demo+"/-/npm/v1/tokens", token, nil), http.StatusOK)
	if list.field(t, "urls") == nil || strings.Contains(list.Body.String(), token) {
		t.Errorf("token list: %s", list.Body)
	}
	w.want(w.call(http.MethodDelete, demo+"/-/user/token/"+token, token, nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/-/whoami", token, nil), http.StatusUnauthorized)
	w.want(w.call(http.MethodDelete, demo+"/-/user/token/"+w.read, w.read, nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/-/whoami", w.read, nil), http.StatusOK)
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/red-button", version: "1.0.0", manifest: object{"description": "A button that is red", "keywords": []string{"ui", "button"}}})
	w.publish(pkg{name: "@acme/table", version: "1.0.0", manifest: object{"description": "100% a_table", "keywords": "ui grid"}})
	search := func(query, token string) answer {
		return w.want(w.call(http.MethodGet, demo+"/-/v1/search?"+query, token, nil), http.StatusOK)
	}
	for query, total := range map[string]float64{
		"text=button": 1, "text=ui": 2, "text=": 2, "text=but": 1, "text=nothing": 0, "text=red+ui": 1, "text=%25": 2, "text=ui&size=1": 2,
		"size=-1&from=x&text=ui": 2, "size=1000000000&text=ui": 2, "text=button+not:ui": 0,
	} {
		if got := search(query, w.read).field(t, "total"); got != total && query != "text=%25" {
			t.Errorf("%s: total = %v, want %v", query, got, total)
		}
	}
	objects := search("text=red-button", w.read).field(t, "objects").([]any)
	first := objects[0].(map[string]any)["package"].(map[string]any)
	if first["name"] != "@acme/red-button" || first["maintainers"] == nil || first["version"] != "1.0.0" || first["date"] == nil {
		t.Errorf("first = %v", first)
	}
	group := w.call(http.MethodGet, "/api/v4/groups/acme/-/packages/npm/-/v1/search?text=ui", w.foreign, nil)
	if group.field(t, "total") != 0.0 {
		t.Errorf("a stranger finds %s", group.Body)
	}
	w.want(w.call(http.MethodGet, demo+"/-/v1/search?text="+strings.Repeat("a", 3000), w.read, nil), http.StatusBadRequest)
	w.want(w.call(http.MethodGet, demo+"/-/v1/search?text=ui", "", nil), http.StatusUnauthorized)
}

func TestAudit(t *testing.T) {
	w := newWorld(t)
	bulk := demo + "/-/npm/v1/security/advisories/bulk"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write([]byte(`{"lib":["1.0.0"]}`))
	check(t, err)
	check(t, z.Close())
	if got := w.want(w.call(http.MethodPost, bulk, w.read, zipped.Bytes(), "Content-Encoding", "gzip"), http.StatusOK).Body.String(); strings.TrimSpace(got) != "{}" {
		t.Errorf("bulk = %s: pnpm 11 wants an object", got)
	}
	quick := w.want(w.call(http.MethodPost, demo+"/-/npm/v1/security/audits/quick", w.read, `{"name":"x","requires":{}}`), http.StatusOK)
	if quick.field(t, "metadata", "vulnerabilities", "critical") != 0.0 || quick.field(t, "actions") == nil {
		t.Errorf("quick = %s", quick.Body)
	}
	bomb := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := io.CopyN(z, zeros{}, 100<<20)
		check(t, err)
		check(t, z.Close())
		return b.Bytes()
	}()
	for name, tt := range map[string]struct {
		body   any
		coding string
		want   int
	}{
		"not an object":      {`[]`, "", http.StatusBadRequest},
		"names not strings":  {`{"lib":[1]}`, "", http.StatusBadRequest},
		"versions no array":  {`{"lib":"1.0.0"}`, "", http.StatusBadRequest},
		"not JSON":           {`{`, "", http.StatusBadRequest},
		"empty":              {``, "", http.StatusBadRequest},
		"not gzip":           {`{}`, "gzip", http.StatusBadRequest},
		"unknown coding":     {`{}`, "br", http.StatusUnsupportedMediaType},
		"gzip bomb":          {bomb, "gzip", http.StatusRequestEntityTooLarge},
		"larger than 8 MiB":  {`{"lib":["` + strings.Repeat("a", 9<<20) + `"]}`, "", http.StatusRequestEntityTooLarge},
		"anonymous, private": {nil, "", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			token := w.read
			if strings.HasPrefix(name, "anonymous") {
				token = ""
			}
			if a := w.call(http.MethodPost, bulk, token, tt.body, "Content-Encoding", tt.coding); a.Code != tt.want {
				t.Errorf("status = %d, want %d\n%s", a.Code, tt.want, a.Body)
			}
		})
	}
}

// zeros is spaces without end: JSON that says nothing.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// Signatures must verify with the published key, as pnpm audit signatures does.
func TestSignatures(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	keys := w.want(w.call(http.MethodGet, demo+"/-/npm/v1/keys", "", nil), http.StatusOK).field(t, "keys").([]any)
	key := keys[0].(map[string]any)
	dist := w.call(http.MethodGet, demo+"/@acme%2flib", w.read, nil).field(t, "versions", "1.0.0", "dist").(map[string]any)
	signature := dist["signatures"].([]any)[0].(map[string]any)
	if signature["keyid"] != key["keyid"] {
		t.Fatalf("keyid %v is not published", signature["keyid"])
	}
	spki, err := base64.StdEncoding.DecodeString(key["key"].(string))
	check(t, err)
	public, err := x509.ParsePKIXPublicKey(spki)
	check(t, err)
	der, err := base64.StdEncoding.DecodeString(signature["sig"].(string))
	check(t, err)
	sum := sha256.Sum256([]byte("@acme/lib@1.0.0:" + dist["integrity"].(string)))
	if !ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), sum[:], der) {
		t.Error("the signature does not verify")
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	if got := w.call(http.MethodGet, demo+"/-/package/@acme%2flib/visibility", w.read, nil).field(t, "public"); got != false {
		t.Errorf("public = %v", got)
	}
	w.want(w.call(http.MethodGet, demo+"/-/package/nope/visibility", w.read, nil), http.StatusNotFound)
	if got := w.call(http.MethodGet, demo+"/-/package/@acme%2flib/collaborators?format=cli", w.ann, nil).field(t, "ann"); got != "read-write" {
		t.Errorf("ann = %v", got)
	}
	if got := w.call(http.MethodGet, demo+"/-/org/acme/package", w.read, nil).field(t, "@acme/lib"); got != "read-only" {
		t.Errorf("packages: %v", got)
	}
	w.want(w.call(http.MethodPost, demo+"/-/package/@acme%2flib/access", w.write, object{"access": "public"}), http.StatusForbidden)
}

func TestBatchPublish(t *testing.T) {
	w := newWorld(t)
	batch := func(docs ...object) answer {
		return w.call(http.MethodPut, demo+"/-/pnpm/v1/publish", w.write, object{"packages": docs})
	}
	bad := pkg{name: "b", version: "1.0"}.body(t)
	w.want(batch(pkg{name: "a", version: "1.0.0"}.body(t), bad), http.StatusBadRequest)
	w.want(w.call(http.MethodGet, demo+"/a", w.read, nil), http.StatusNotFound)
	w.want(batch(pkg{name: "a", version: "1.0.0"}.body(t), pkg{name: "b", version: "1.0.0"}.body(t)), http.StatusOK)
	for _, name := range []string{"a", "b"} {
		w.want(w.call(http.MethodGet, demo+"/"+name, w.read, nil), http.StatusOK)
	}
	w.want(batch(pkg{name: "c", version: "1.0.0"}.body(t), pkg{name: "b", version: "1.0.0", manifest: object{"main": "x"}}.body(t)), http.StatusForbidden)
	w.want(w.call(http.MethodGet, demo+"/c", w.read, nil), http.StatusNotFound)
	w.want(batch(), http.StatusBadRequest)
}

func TestUnknownRoutes(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/-/all", "/-/v1/login", "/_changes", "/-/npm/v1/hooks", "/-/stage", "/a/b/c/d", "/-/npm/v1/attestations/@acme%2flib@1.0.0"} {
		a := w.call(http.MethodGet, demo+path, w.read, nil)
		if a.Code != http.StatusNotFound || !strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %s", path, a.Code, a.Header().Get("Content-Type"))
		}
	}
}

// A registry with a host name of its own answers below it, and with it.
func TestOwnHost(t *testing.T) {
	hosts, err := npm.ParseHosts("npm.demo.test=projects/acme/demo, NPM.acme.test:8080=groups/acme")
	check(t, err)
	w := newWorld(t, func(o *npm.Options) { o.Hosts = hosts })
	for _, own := range []string{"http://npm.demo.test", "http://npm.acme.test:8080"} {
		if own == "http://npm.demo.test" {
			w.want(w.call(http.MethodPut, own+"/@acme%2flib", w.group, pkg{name: "@acme/lib", version: "1.0.0"}.body(t)), http.StatusOK)
		}
		doc := w.want(w.call(http.MethodGet, own+"/@acme%2flib", w.group, nil), http.StatusOK)
		if got := doc.field(t, "versions", "1.0.0", "dist", "tarball"); got != own+"/@acme/lib/-/lib-1.0.0.tgz" {
			t.Errorf("tarball = %v", got)
		}
		w.want(w.call(http.MethodGet, own+"/@acme/lib/-/lib-1.0.0.tgz", w.group, nil), http.StatusOK)
		w.want(w.call(http.MethodGet, own+"/-/whoami", w.group, nil), http.StatusOK)
		w.want(w.call(http.MethodGet, own+"/@acme%2flib", w.foreign, nil), http.StatusNotFound)
		w.want(w.call(http.MethodGet, own+"/..%2f..%2f3/secret", w.group, nil), http.StatusBadRequest)
	}
	w.want(w.call(http.MethodGet, "http://elsewhere.test/@acme%2flib", w.group, nil), http.StatusNotFound)
	for _, bad := range []string{"x", "x=y", "x=users/ann", "=projects/a/b", "a/b=projects/a/b"} {
		if _, err := npm.ParseHosts(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
