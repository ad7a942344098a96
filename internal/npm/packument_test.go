package npm_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"pakhus/internal/npm"
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
