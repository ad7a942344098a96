package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shapes are packages with every form that dependencies take (nuget.md 16.9).
func shapes() []nupkg {
	shape := func(name, dependencies string) nupkg {
		p := nupkg{id: "Shape." + name, version: "1.0.0", size: 50}
		if dependencies != "" {
			p.more = "<dependencies>" + dependencies + "</dependencies>"
		}
		return p
	}
	on := func(versions string) string { return fmt.Sprintf(`<dependency id="Shape.Leaf" version=%q/>`, versions) }
	all := []nupkg{
		shape("None", ""),
		shape("Empty", " "),
		shape("Flat", on("1.0")),
		shape("Groups", `<group targetFramework="netstandard2.0">`+on("1.1.0")+`</group><group targetFramework="net45">`+on("1.0.0")+`</group>`),
		shape("EmptyGroup", `<group targetFramework=".NETStandard2.1"/><group targetFramework="netstandard1.0">`+on("1.0.0")+`</group>`),
		shape("AnyGroup", `<group>`+on("1.0.0")+`</group>`),
		shape("GroupAndFlat", on("2.0.0")+`<group targetFramework="netstandard2.1">`+on("1.1.0")+`</group>`),
		shape("Exact", on("[1.1]")),
		shape("Above", on("(1.0,)")),
		shape("Between", on("[1.0.0,1.2)")),
		shape("NoVersion", `<dependency id="Shape.Leaf"/>`),
		shape("Excluded", `<dependency id="Shape.Leaf" version="1.0.0" exclude="Build,Analyzers" include="Runtime"/>`),
	}
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0", "2.0.0"} {
		all = append(all, nupkg{id: "Shape.Leaf", version: version, size: 50})
	}
	return all
}

// TestNuGetRestoreGraph restores each shape from the registry and from a folder:
// both graphs are the same.
func TestNuGetRestoreGraph(t *testing.T) {
	t.Parallel()
	c := needNuGet(t, "dotnet")
	w, caller := nugetWorld(t, "shapes")
	folder := t.TempDir()
	caller.pushAll(t, shapes())
	for _, p := range shapes() {
		content, err := p.build()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, p.id+"."+p.version+".nupkg"), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// One project for each shape, all restored at once.
	graphs := func(login nugetLogin) map[string]any {
		t.Helper()
		dir, home := t.TempDir(), t.TempDir()
		if err := login.write(home, c); err != nil {
			t.Fatal(err)
		}
		all := `<Project><ItemGroup><P Include="*/app.csproj"/></ItemGroup><Target Name="Restore"><MSBuild Projects="@(P)" Targets="Restore"/></Target></Project>`
		if err := writeFile(filepath.Join(dir, "all.proj"), all); err != nil {
			t.Fatal(err)
		}
		for _, p := range shapes()[:12] {
			file, content := nugetProject(c, [][2]string{{p.id, p.version}})
			if err := writeFile(filepath.Join(dir, p.id, file), content); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := c.run(home, dir, []string{"msbuild", "all.proj", "-t:Restore", "-nologo"}); err != nil {
			t.Fatalf("restore from %s: %v\n%s", login.source, err, out)
		}
		graphs := map[string]any{}
		for _, p := range shapes()[:12] {
			text, err := os.ReadFile(filepath.Join(dir, p.id, "obj", "project.assets.json"))
			if err != nil {
				t.Fatal(err)
			}
			var assets struct{ Targets, Libraries map[string]any }
			if err := json.Unmarshal(text, &assets); err != nil {
				t.Fatal(err)
			}
			graphs[p.id] = []any{assets.Targets, assets.Libraries}
		}
		return graphs
	}
	fromFolder := graphs(nugetLogin{source: "folder:" + folder})
	fromHere := graphs(nugetLogin{source: caller.base, user: w.vars["RO_USER"], password: w.vars["RO"]})
	if diff := cmp.Diff(fromFolder, fromHere); diff != "" {
		t.Error(diff)
	}
	if len(fromHere) != 12 || !strings.Contains(fmt.Sprint(fromHere["Shape.Flat"]), "Shape.Leaf/1.0.0") {
		t.Errorf("the graphs are %v", fromHere)
	}
}

// TestNuGetBehindTLS has a proxy with TLS and a path before it, as the external
// URL says: no document names the server's own address, and dotnet needs
// nothing else (nuget.md 16.10).
func TestNuGetBehindTLS(t *testing.T) {
	t.Parallel()
	c := needNuGet(t, "dotnet")
	s := prepare(t, nil)
	to, err := url.Parse("http://" + s.addr)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	t.Cleanup(front.Close)
	s.front = front.URL + "/tools/registry"
	s.settings["REGISTRY_EXTERNAL_URL"] = s.front
	s.startFor(t)
	w, err := newWorld(s, "tls")
	if err != nil {
		t.Fatal(err)
	}
	caller := nugetCaller(w)
	caller.http = front.Client()
	const id = "Acme.Tls"
	caller.pushAll(t, append(manyVersions(id, 0, 130), nupkg{
		id: id, version: "2.0.0", size: 50, fields: map[string]string{"readme": "docs/README.md"},
		files: map[string]string{"docs/README.md": "# Tls\n"},
	}))

	var index struct {
		Resources []struct {
			ID   string `json:"@id"`
			Type string `json:"@type"`
		}
	}
	if err := caller.json(t.Context(), "/index.json", &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Resources) < 20 {
		t.Errorf("the index has only %d resources", len(index.Resources))
	}
	var pages registration
	if err := caller.json(t.Context(), "/metadata/acme.tls/index.json", &pages); err != nil {
		t.Fatal(err)
	}
	paths := []string{
		"/index.json", "/v3/index.json", "/query?q=", "/autocomplete?q=", "/metadata/acme.tls/index.json", "/metadata/acme.tls/2.0.0.json",
		"/download/acme.tls/index.json", "/v2", "/v2/$metadata", "/v2/Search()?searchTerm=''", "/v2/Packages(Id='Acme.Tls',Version='2.0.0')",
		"/v2/FindPackagesById()?id='Acme.Tls'",
	}
	for _, page := range pages.Items {
		paths = append(paths, page.ID)
	}
	for _, path := range paths {
		text, err := caller.get(t.Context(), path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, namespace := range []string{"http://www.w3.org/", "http://schemas.microsoft.com/"} {
			text = bytes.ReplaceAll(text, []byte(namespace), nil)
		}
		if bytes.Contains(text, []byte("http:")) || bytes.Contains(text, []byte(s.addr)) {
			t.Errorf("%s names another address than %s: %.3000s", path, s.front, text)
		}
	}

	home, app, trusted := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(trusted, certificate, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (nugetLogin{source: caller.base, user: w.vars["RO_USER"], password: w.vars["RO"]}).write(home, c); err != nil {
		t.Fatal(err)
	}
	file, content := nugetProject(c, [][2]string{{id, "2.0.0"}})
	if err := writeFile(filepath.Join(app, file), content); err != nil {
		t.Fatal(err)
	}
	if out, err := c.run(home, app, []string{"restore"}, "SSL_CERT_FILE="+trusted); err != nil {
		t.Errorf("dotnet restore: %v\n%s", err, out)
	}
}

// TestNuGetChallenge: clients show a credential only after a 401 that asks for
// Basic and for nothing else (nuget.md 13.1).
func TestNuGetChallenge(t *testing.T) {
	t.Parallel()
	w, caller := nugetWorld(t, "challenge")
	caller.pushAll(t, manyVersions("Acme.Challenge", 0, 1))
	basic := func(user, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	for _, tt := range []struct {
		name   string
		header http.Header
		status string
	}{
		{"none", http.Header{}, "401"},
		{"wrong", basic("x", "gldt-0000000000000000000000000000000000000"), "401"},
		{"expired", basic(w.vars["EXPIRED_USER"], w.vars["EXPIRED"]), "401"},
		{"revoked", basic(w.vars["REVOKED_USER"], w.vars["REVOKED"]), "401"},
		{"another project's", basic(w.vars["FOREIGN_USER"], w.vars["FOREIGN"]), "404"},
		{"right", basic(w.vars["RO_USER"], w.vars["RO"]), "200"},
		{"group's", basic(w.vars["GROUP_RO_USER"], w.vars["GROUP_RO"]), "200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{
				"/download/acme.challenge/index.json", "/metadata/acme.challenge/index.json", "/query?q=", "/autocomplete?q=",
				"/download/acme.challenge/1.0.0/acme.challenge.1.0.0.nupkg", "/v2/Packages()", "/v2/package/Acme.Challenge/1.0.0",
			} {
				status, header, answer, err := request(http.MethodGet, caller.base+path, maps.Clone(tt.header), nil)
				if err != nil || !strings.HasPrefix(status, tt.status) {
					t.Errorf("%s: %s, not %s: %s %v", path, status, tt.status, answer, err)
				}
				challenges := header.Values("WWW-Authenticate")
				if asked := len(challenges) == 1 && strings.HasPrefix(challenges[0], "Basic "); asked != (tt.status == "401") {
					t.Errorf("%s: %s with the challenges %q", path, status, challenges)
				}
			}
			if status, _, _, err := request(http.MethodGet, caller.base+"/index.json", http.Header{}, nil); err != nil || !strings.HasPrefix(status, "200") {
				t.Errorf("the index is not public: %s %v", status, err)
			}
		})
	}
}
