package nuget

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// versionsOf lists the versions of a flat list.
func (w *world) versionsOf(id string) string {
	w.t.Helper()
	return joined(w.want(w.get(demo, "/download/"+id+"/index.json", w.read), http.StatusOK).texts(w.t, "versions"))
}

func (w *world) hits(query string) any {
	w.t.Helper()
	return w.want(w.get(demo, "/query?"+query, w.read), http.StatusOK).field(w.t, "totalHits")
}

// Unlisting takes a version out of search and completion, and leaves it where
// builds that name it look (nuget.md 16.4); relisting takes that back. Both work
// by every spelling (16.3).
func TestUnlistAndRelist(t *testing.T) {
	w := newWorld(t)
	for _, version := range []string{"1.0", "1.0.0.4", "1.1.0-Beta.1", "2.0.0+x"} {
		w.publish(nupkgSpec{Version: version})
	}
	for _, spelling := range []string{"/acme.log/2.0", "/ACME.LOG/2.0.0.0", "/v2/Acme.Log/02.0.0+y", "/package/acme.log/2"} {
		w.want(w.call(http.MethodDelete, demo+spelling, w.write, nil), http.StatusNoContent)
		if got := w.want(w.get(demo, "/query?semVerLevel=2.0.0", w.read), http.StatusOK).field(t, "data", 0, "version"); got != "1.0.0.4" {
			t.Errorf("%s: search shows %v", spelling, got)
		}
		completed := w.want(w.get(demo, "/autocomplete?id=acme.log&prerelease=true&semVerLevel=2.0.0", w.read), http.StatusOK)
		if diff := cmp.Diff(completed.texts(t, "data"), []string{"1.0.0", "1.0.0.4", "1.1.0-Beta.1"}); diff != "" {
			t.Error(diff)
		}
		if got := w.versionsOf("acme.log"); got != "1.0.0 1.0.0.4 1.1.0-beta.1 2.0.0" {
			t.Errorf("flat list: %s", got)
		}
		index := w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK)
		if index.field(t, "items", 0, "items", 3, "catalogEntry", "listed") != false || index.field(t, "items", 0, "items", 3, "catalogEntry", "published") != unlistedTime {
			t.Error("the registration shows it as listed")
		}
		leaf := w.want(w.get(demo, "/metadata/acme.log/2.0.json", w.read), http.StatusOK)
		if leaf.field(t, "listed") != false {
			t.Error("the leaf shows it as listed")
		}
		w.want(w.get(demo, "/download/acme.log/2.0.0/acme.log.2.0.0.nupkg", w.read), http.StatusOK)
		w.want(w.call(http.MethodPost, demo+spelling, w.write, nil), http.StatusOK)
		w.want(w.call(http.MethodPost, demo+spelling, w.write, nil), http.StatusOK)
		if got := w.want(w.get(demo, "/query?semVerLevel=2.0.0", w.read), http.StatusOK).field(t, "data", 0, "version"); got != "2.0.0+x" {
			t.Errorf("relisted: search shows %v", got)
		}
	}
	w.want(w.call(http.MethodDelete, demo+"/acme.log/2.0", w.write, nil), http.StatusNoContent)
	w.want(w.call(http.MethodDelete, demo+"/acme.log/2.0", w.write, nil), http.StatusNoContent)
	for _, path := range []string{"/acme.log/latest", "/acme.log/9.9.9", "/acme.none/1.0.0"} {
		w.want(w.call(http.MethodDelete, demo+path, w.write, nil), http.StatusNotFound)
		w.want(w.call(http.MethodPost, demo+path, w.write, nil), http.StatusNotFound)
	}
}

// A package whose every version is unlisted is never in search, and still has
// its registration.
func TestAllUnlisted(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{Version: "1.0.0"})
	w.want(w.call(http.MethodDelete, demo+"/acme.log/1.0.0", w.write, nil), http.StatusNoContent)
	for _, query := range []string{"", "q=log", "q=" + idField + ":acme.log", "prerelease=true&semVerLevel=2.0.0"} {
		if got := w.hits(query); got != 0.0 {
			t.Errorf("%q: %v hits", query, got)
		}
	}
	if got := w.want(w.get(demo, "/autocomplete?q=acme", w.read), http.StatusOK).field(t, "totalHits"); got != 0.0 {
		t.Errorf("completion: %v hits", got)
	}
	w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK)
	w.publish(nupkgSpec{Version: "0.9.0"})
	if got := w.want(w.get(demo, "/query", w.read), http.StatusOK).field(t, "data", 0, "version"); got != "0.9.0" {
		t.Errorf("search shows %v", got)
	}
}

// Where the project says so, deleting is for good: 404 from then on, and the
// coordinates stay taken.
func TestHardDelete(t *testing.T) {
	w := newWorld(t)
	body := w.publish(nupkgSpec{Version: "1.0.0"})
	w.publish(nupkgSpec{Version: "2.0.0"})
	w.set(1, settingDelete, "delete")
	w.want(w.call(http.MethodDelete, demo+"/acme.log/1.0.0", w.write, nil), http.StatusNoContent)
	w.want(w.call(http.MethodDelete, demo+"/acme.log/1.0.0", w.write, nil), http.StatusNotFound)
	w.want(w.call(http.MethodPost, demo+"/acme.log/1.0.0", w.write, nil), http.StatusNotFound)
	w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", w.read), http.StatusNotFound)
	w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.nuspec", w.read), http.StatusNotFound)
	w.want(w.get(demo, "/metadata/acme.log/1.0.0.json", w.read), http.StatusNotFound)
	if got := w.versionsOf("acme.log"); got != "2.0.0" {
		t.Errorf("flat list: %s", got)
	}
	again := w.want(w.push(demo, w.write, body), http.StatusConflict)
	if !strings.Contains(again.Body.String(), "deleted") {
		t.Errorf("pushed again: %s", again.Body)
	}
	w.want(w.call(http.MethodDelete, demo+"/acme.log/2.0.0", w.write, nil), http.StatusNoContent)
	w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusNotFound)
	w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusNotFound)
	if got := w.hits(""); got != 0.0 {
		t.Errorf("%v hits", got)
	}
}

func TestDeprecate(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{Version: "1.0.0"})
	w.publish(nupkgSpec{Version: "2.0.0"})
	put := func(body string) answer {
		return w.call(http.MethodPut, demo+"/acme.log/deprecations", w.write, strings.NewReader(body))
	}
	w.want(put(`{"versions":["1.0","1.0.0"],"isLegacy":true,"hasCriticalBugs":true,"message":"use 2","alternatePackageId":"Acme.New","alternatePackageVersion":"2.0"}`), http.StatusOK)
	deprecation := func(i int) any {
		return w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK).field(t, "items", 0, "items", i, "catalogEntry", "deprecation")
	}
	want := map[string]any{
		"@type": "deprecation", "reasons": []any{"Legacy", "CriticalBugs"}, "message": "use 2",
		"alternatePackage": map[string]any{"@type": "alternatePackage", "id": "Acme.New", "range": "[2.0.0, )"},
	}
	if diff := cmp.Diff(deprecation(0), any(want)); diff != "" {
		t.Error(diff)
	}
	if got := deprecation(1); got != nil {
		t.Errorf("2.0.0 is deprecated: %v", got)
	}
	w.want(put(`{"versions":["1.0"]}`), http.StatusOK)
	if got := deprecation(0); got != nil {
		t.Errorf("still deprecated: %v", got)
	}
	for body, status := range map[string]int{
		`{`: 400, `[]`: 400, `{"versions":[]}`: 400, `{"versions":["x"],"isOther":true}`: 400, `{"versions":["3.0"],"isOther":true}`: 404,
		`{"versions":["1.0"],"isOther":true,"alternatePackageId":"a b"}`:                             400,
		`{"versions":["1.0"],"isOther":true,"message":"` + strings.Repeat("x", 4001) + `"}`:          400,
		`{"versions":["1.0"],"isOther":true,"alternatePackageId":"A","alternatePackageVersion":"?"}`: 400,
	} {
		w.want(put(body), status)
	}
	w.want(w.call(http.MethodPut, demo+"/acme.none/deprecations", w.write, strings.NewReader(`{"versions":["1.0"],"isOther":true}`)), http.StatusNotFound)
	w.want(w.call(http.MethodPut, demo+"/acme.log/deprecations", w.ann, strings.NewReader(`{}`)), http.StatusForbidden)
}
