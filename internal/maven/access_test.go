package maven_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/worldtest"
)

const challenge = `Basic realm="GitLab Packages Registry"`

// TestStatuses is section 5.1 of maven.md: who gets what, and 401 always with
// the one challenge.
func TestStatuses(t *testing.T) {
	w := newWorld(t)
	const file, absent, metadata = "/org/acme/app/1.0/app-1.0.jar", "/org/acme/app/9.9/app-9.9.jar", "/org/acme/app/maven-metadata.xml"
	w.deploy("1.0")
	w.want(w.call(http.MethodPut, open+file, w.group, "open"), http.StatusCreated)
	none := strings.Replace(demo, "projects/1", "projects/99", 1)
	tests := []struct {
		name, method, target, token string
		want                        int
	}{
		{"read", "GET", demo + file, w.read, 200},
		{"head", "HEAD", demo + file, w.read, 200},
		{"a token that writes reads", "GET", demo + metadata, w.write, 200},
		{"a group's token", "GET", demo + file, w.group, 200},
		{"a user", "GET", demo + file, w.ann, 200},
		{"absent", "GET", demo + absent, w.read, 404},
		{"absent metadata", "GET", demo + "/org/acme/none/maven-metadata.xml", w.read, 404},
		{"anonymous", "GET", demo + file, "", 401},
		{"anonymous, absent", "GET", demo + absent, "", 401},
		{"anonymous, metadata that is absent", "GET", demo + "/org/acme/none/maven-metadata.xml", "", 401},
		{"anonymous, head", "HEAD", demo + file, "", 401},
		{"anonymous, no such project", "GET", none + file, "", 401},
		{"anonymous, public", "GET", open + file, "", 200},
		{"anonymous, public, absent", "GET", open + absent, "", 404},
		{"a token of another project", "GET", demo + file, w.foreign, 404},
		{"a token of another project, public", "GET", open + file, w.foreign, 200},
		{"no such project", "GET", none + file, w.read, 404},
		{"an unknown token", "GET", demo + file, "gldt-nobodyknowsthis", 401},
		{"an unknown token, public", "GET", open + file, "gldt-nobodyknowsthis", 401},
		{"an expired token", "GET", demo + file, w.expired, 401},
		{"anonymous put", "PUT", demo + absent, "", 401},
		{"anonymous put, public", "PUT", open + absent, "", 401},
		{"put with a token that reads", "PUT", demo + absent, w.read, 403},
		{"put with a token of another project", "PUT", demo + absent, w.foreign, 404},
		{"put with a token of another project, public", "PUT", open + absent, w.foreign, 403},
		{"put into a group", "PUT", acmeGroup + absent, w.group, 405},
		{"anonymous put into a group", "PUT", acmeGroup + absent, "", 401},
		{"put at instance level", "PUT", instance + absent, w.group, 405},
		{"delete with a token that reads", "DELETE", demo + file, w.read, 403},
		{"delete a file of a release", "DELETE", demo + file, w.write, 403},
		{"delete what is absent", "DELETE", demo + absent, w.write, 404},
		{"delete in a group", "DELETE", acmeGroup + file, w.group, 405},
		{"post", "POST", demo + file, w.write, 405},
		{"propfind", "PROPFIND", demo + file, w.write, 405},
		{"mkcol", "MKCOL", demo + "/org/", w.write, 405},
		{"options", "OPTIONS", demo + file, "", 204},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := wantStatus(t, w.call(tt.method, tt.target, tt.token, ""), tt.want)
			got := a.Header()["Www-Authenticate"]
			if a.Code == http.StatusUnauthorized && !cmp.Equal(got, []string{challenge}) || a.Code != http.StatusUnauthorized && got != nil {
				t.Errorf("challenges = %q", got)
			}
			if a.Code == http.StatusMethodNotAllowed && a.Header().Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if a.Code >= 400 && a.Header().Get("X-Checksum-Sha1") != "" {
				t.Error("an error has a checksum")
			}
			if _, dav := a.Header()["Dav"]; dav {
				t.Error("WebDAV is announced")
			}
		})
	}
}

// TestCarriers: every way in which clients send a credential; for a deploy token
// the user name does not matter.
func TestCarriers(t *testing.T) {
	w := newWorld(t)
	w.deploy("1.0")
	tests := []struct {
		name string
		set  func(*http.Request)
		want int
	}{
		{"basic", func(r *http.Request) { r.SetBasicAuth("gitlab+deploy-token-1", w.read) }, 200},
		{"basic with any user name", func(r *http.Request) { r.SetBasicAuth("whoever", w.read) }, 200},
		{"basic with a personal token", func(r *http.Request) { r.SetBasicAuth("ann", w.ann) }, 200},
		{"the pair that rules_jvm_external sends without credentials", func(r *http.Request) { r.SetBasicAuth("null", "null") }, 401},
		{"deploy token header", func(r *http.Request) { r.Header.Set("Deploy-Token", w.read) }, 200},
		{"private token header", func(r *http.Request) { r.Header.Set("Private-Token", w.ann) }, 200},
		{"bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+w.read) }, 200},
		{"header and basic, the same", func(r *http.Request) { r.SetBasicAuth("x", w.read); r.Header.Set("Deploy-Token", w.read) }, 200},
		{"header and basic, different", func(r *http.Request) { r.SetBasicAuth("x", w.write); r.Header.Set("Deploy-Token", w.read) }, 400},
		{"a job token", func(r *http.Request) { r.Header.Set("Job-Token", "x") }, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, demo+"/org/acme/app/1.0/app-1.0.jar", nil)
			tt.set(r)
			wantStatus(t, w.send(r), tt.want)
		})
	}
}

// TestGroupLevel: a group is the union of the projects that the caller may read,
// with merged metadata.
func TestGroupLevel(t *testing.T) { onEach(t, testGroupLevel) }

func testGroupLevel(t *testing.T, w *world) {
	put := func(project, version, body string) {
		t.Helper()
		w.want(w.call(http.MethodPut, project+"/org/acme/app/"+version+"/app-"+version+".jar", w.group, body), http.StatusCreated)
		w.want(w.call(http.MethodPut, project+"/org/acme/app/maven-metadata.xml", w.group, artifactMetadata("org.acme", "app", version)), http.StatusOK)
	}
	put(demo, "1.0", "demo")
	put(lib, "2.0", "lib")
	put(open, "3.0", "open")
	put(open, "1.0", "newer")
	tests := []struct {
		name, token, metadata string
		want                  []string
		first                 string // bytes of 1.0
	}{
		{name: "all", token: w.group, want: []string{"1.0", "2.0", "3.0"}, first: "newer"},
		{name: "a user", token: w.ann, want: []string{"1.0", "2.0", "3.0"}, first: "newer"},
		{name: "one project and what is public", token: w.read, want: []string{"1.0", "3.0"}, first: "newer"},
		{name: "what is public", token: w.foreign, want: []string{"1.0", "3.0"}, first: "newer"},
		{name: "anonymous", token: "", want: []string{"1.0", "3.0"}, first: "newer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			document := wantStatus(t, w.call(http.MethodGet, acmeGroup+"/org/acme/app/maven-metadata.xml", tt.token, ""), 200).Body.String()
			if diff := cmp.Diff(tt.want, versionsIn(t, document)); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
			sum := wantStatus(t, w.call(http.MethodGet, acmeGroup+"/org/acme/app/maven-metadata.xml.sha1", tt.token, ""), 200).Body.String()
			if sum != sums(document)["sha1"] {
				t.Errorf("checksum of another document: %q", sum)
			}
			jar := wantStatus(t, w.call(http.MethodGet, acmeGroup+"/org/acme/app/1.0/app-1.0.jar", tt.token, ""), 200).Body.String()
			if jar != tt.first {
				t.Errorf("jar = %q, want %q", jar, tt.first)
			}
		})
	}
	private := acmeGroup + "/org/acme/app/2.0/app-2.0.jar"
	w.want(w.call(http.MethodGet, private, w.foreign, ""), http.StatusNotFound)
	w.want(w.call(http.MethodGet, private, "", ""), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, acmeGroup+"/org/none/maven-metadata.xml", "", ""), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, acmeGroup+"/org/none/maven-metadata.xml", w.group, ""), http.StatusNotFound)
}

// TestInstanceLevel: a package is found in the project of the same path.
func TestInstanceLevel(t *testing.T) { onEach(t, testInstanceLevel) }

func testInstanceLevel(t *testing.T, w *world) {
	const file = "/acme/demo/1.0/demo-1.0.jar"
	w.put(strings.TrimPrefix(file, "/"), "x", http.StatusCreated)
	w.put("acme/demo/maven-metadata.xml", artifactMetadata("acme", "demo", "1.0"), http.StatusOK)
	w.put("org/acme/app/1.0/app-1.0.jar", "x", http.StatusCreated)
	w.want(w.call(http.MethodGet, instance+file, w.read, ""), http.StatusOK)
	w.want(w.call(http.MethodGet, instance+"/acme/demo/maven-metadata.xml", w.read, ""), http.StatusOK)
	w.want(w.call(http.MethodGet, instance+file, w.foreign, ""), http.StatusNotFound)
	w.want(w.call(http.MethodGet, instance+file, "", ""), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, instance+"/org/acme/app/1.0/app-1.0.jar", w.read, ""), http.StatusNotFound)
	w.want(w.call(http.MethodGet, instance+"/", w.read, ""), http.StatusNotFound)
}

func TestMovedProject(t *testing.T) {
	w := newWorld(t)
	const file = "/packages/maven/org/acme/app/1.0/app-1.0.jar"
	worldtest.CheckMoved(t, w.ready, "http://registry.test", file, file,
		func(method, target, token string) *httptest.ResponseRecorder {
			return w.call(method, target, token, "")
		})
}
