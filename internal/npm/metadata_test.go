package npm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

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
