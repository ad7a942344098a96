package nuget

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// offered gives the types of an index with their addresses.
func (w *world) offered(a answer) map[string]string {
	w.t.Helper()
	var index serviceIndex
	check(w.t, json.Unmarshal(a.Body.Bytes(), &index))
	if index.Version != "3.0.0" {
		w.t.Errorf("version %q", index.Version)
	}
	types := map[string]string{}
	for _, r := range index.Resources {
		if types[r.Type] != "" {
			w.t.Errorf("%s is there twice", r.Type)
		}
		types[r.Type] = r.ID
	}
	return types
}

// The index is open, the same at all its addresses, and what it offers lies below
// it (nuget.md 1, 2).
func TestIndex(t *testing.T) {
	w := newWorld(t)
	want := []string{
		"LegacyGallery", "LegacyGallery/2.0.0", "OwnerDetailsUriTemplate/6.11.0", "PackageBaseAddress/3.0.0", "PackageDetailsUriTemplate/5.1.0",
		"PackagePublish/2.0.0", "ReadmeUriTemplate/6.13.0", "RegistrationsBaseUrl", "RegistrationsBaseUrl/3.0.0-beta", "RegistrationsBaseUrl/3.0.0-rc",
		"RegistrationsBaseUrl/3.4.0", "RegistrationsBaseUrl/3.6.0", "RegistrationsBaseUrl/Versioned", "ReportAbuseUriTemplate/3.0.0",
		"ReportAbuseUriTemplate/3.0.0-beta", "ReportAbuseUriTemplate/3.0.0-rc", "SearchAutocompleteService", "SearchAutocompleteService/3.0.0-beta",
		"SearchAutocompleteService/3.0.0-rc", "SearchAutocompleteService/3.5.0", "SearchQueryService", "SearchQueryService/3.0.0-beta",
		"SearchQueryService/3.0.0-rc", "SearchQueryService/3.4.0", "SearchQueryService/3.5.0", "SymbolPackagePublish/4.9.0",
	}
	base := externalURL + demo
	for _, path := range []string{"/index.json", "/index", "/v3/index.json", "/", "", "//index.json", "/index.json/"} {
		types := w.offered(w.want(w.get(demo, path, ""), http.StatusOK))
		var names []string
		for name, id := range types {
			names = append(names, name)
			if id != base && !strings.HasPrefix(id, base+"/") || strings.HasSuffix(id, "/") {
				t.Errorf("%s: %s", name, id)
			}
		}
		slices.Sort(names)
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if types["PackagePublish/2.0.0"] != base || types["SymbolPackagePublish/4.9.0"] != base+"/symbolpackage" || types["PackageBaseAddress/3.0.0"] != base+"/download" {
			t.Errorf("%s: %v", path, types)
		}
	}
	byPath := w.offered(w.want(w.get("/api/v4/projects/acme%2Fdemo/packages/nuget", "/index.json", ""), http.StatusOK))
	if got := byPath["SearchQueryService"]; got != externalURL+"/api/v4/projects/acme%2Fdemo/packages/nuget/query" {
		t.Errorf("asked by path: %s", got)
	}
	group := w.offered(w.want(w.get(acme, "/index.json", ""), http.StatusOK))
	if group["PackagePublish/2.0.0"] != "" || group["SymbolPackagePublish/4.9.0"] != "" || group["PackageBaseAddress/3.0.0"] != externalURL+acme+"/download" {
		t.Errorf("group: %v", group)
	}
	w.want(w.get(demo, "/index.json", "gldt-nobodyknowsthis"), http.StatusOK)
	for _, feed := range []string{"/api/v4/projects/99/packages/nuget", "/api/v4/groups/99/-/packages/nuget"} {
		missing := w.want(w.get(feed, "/index.json", ""), http.StatusNotFound)
		if missing.Header().Get("Www-Authenticate") != "" {
			t.Errorf("%s: a challenge with 404", feed)
		}
	}
}

// Nothing but the external address is in a document, also with a path prefix
// behind a proxy (nuget.md 16.10).
func TestAddresses(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.ExternalURL = "https://packages.test/registry" })
	w.publish(nupkgSpec{Metadata: `<icon>i.png</icon>`, Files: []zipFile{{name: "i.png", body: "\x89PNG\r\n\x1a\n"}}})
	for _, path := range []string{
		"/index.json", "/metadata/acme.log/index.json", "/metadata/acme.log/1.0.0.json", "/metadata/acme.log/page/1.0.0/1.0.0.json", "/query", "/download/acme.log/index.json",
	} {
		for _, prefix := range []string{"", "/registry"} {
			a := w.want(w.call(http.MethodGet, prefix+demo+path, w.read, nil, "Host", "internal.test"), http.StatusOK)
			text := a.Body.String()
			if strings.Contains(text, "http://") || strings.Contains(text, "internal.test") {
				t.Errorf("%s: %s", path, text)
			}
			if want := "https://packages.test/registry" + demo; strings.Contains(text, "https://") && strings.Count(text, "https://") != strings.Count(text, want) {
				t.Errorf("%s: another address in %s", path, text)
			}
		}
	}
}

// Methods that an address does not have are 405, and the answer names those that
// it has.
func TestMethods(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		method, path, allow string
	}{
		{http.MethodPatch, "/index.json", "GET, HEAD, PUT, POST"},
		{http.MethodDelete, "/query", "GET, HEAD"},
		{http.MethodPut, "/metadata/acme.log/index.json", "GET, HEAD"},
		{http.MethodGet, "/symbolpackage", "PUT, POST"},
		{http.MethodGet, "/acme.log/1.0.0", "POST, DELETE"},
		{http.MethodPost, "/acme.log/deprecations", "PUT"},
	} {
		a := w.want(w.call(tt.method, demo+tt.path, w.write, nil), http.StatusMethodNotAllowed)
		if got := a.Header().Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow %q", tt.method, tt.path, got)
		}
	}
	w.want(w.call(http.MethodDelete, demo+"/nothing", w.write, nil), http.StatusNotFound)
}

// Documents have validators, are compressed for those who ask, and are sent
// again when the package changed.
func TestDocumentHeaders(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{Version: "1.0.0"})
	for _, path := range []string{"/metadata/acme.log/index.json", "/download/acme.log/index.json", "/index.json"} {
		plain := w.want(w.get(demo, path, w.read), http.StatusOK)
		zipped := w.want(w.get(demo, path, w.read, "Accept-Encoding", "gzip, deflate"), http.StatusOK)
		if plain.Header().Get("Content-Encoding") != "" || zipped.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: codings %q and %q", path, plain.Header().Get("Content-Encoding"), zipped.Header().Get("Content-Encoding"))
		}
		tag := plain.Header().Get("ETag")
		if tag == "" || tag == zipped.Header().Get("ETag") || plain.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", path, plain.Header())
		}
		w.want(w.get(demo, path, w.read, "If-None-Match", tag), http.StatusNotModified)
		head := w.want(w.call(http.MethodHead, demo+path, w.read, nil), http.StatusOK)
		if head.Header().Get("Content-Length") != plain.Header().Get("Content-Length") {
			t.Errorf("%s: HEAD tells another length", path)
		}
	}
	tag := w.get(demo, "/download/acme.log/index.json", w.read).Header().Get("ETag")
	w.publish(nupkgSpec{Version: "1.0.1"})
	w.want(w.get(demo, "/download/acme.log/index.json", w.read, "If-None-Match", tag), http.StatusOK)
}
