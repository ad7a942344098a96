package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// registration is what these tests read of a registration index.
type registration struct {
	Count int
	Items []registrationPage
}

type registrationPage struct {
	ID           string `json:"@id"`
	Count        int
	Lower, Upper string
	Items        []struct {
		PackageContent string
		CatalogEntry   struct {
			ID, Version string
			Listed      bool
		}
	}
}

// nugetWorld is a project of its own on the shared server.
func nugetWorld(t *testing.T, name string) (world, nugetRaw) {
	t.Helper()
	w, err := newWorld(sharedServer(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return w, nugetCaller(w)
}

// manyVersions are versions of one package, from 1.0.<first> on.
func manyVersions(id string, first, n int) []nupkg {
	var all []nupkg
	for i := range n {
		all = append(all, nupkg{id: id, version: fmt.Sprintf("1.0.%d", first+i), size: 200})
	}
	return all
}

// TestNuGetPages: from 128 versions on the index names pages instead of holding
// them, and a client that still has an old index finds each page (nuget.md 5.1,
// 16.0, 16.2).
func TestNuGetPages(t *testing.T) {
	t.Parallel()
	w, caller := nugetWorld(t, "pages")
	const id = "Acme.Pages"
	index := func(pages ...int) registration {
		t.Helper()
		var r registration
		if err := caller.json(t.Context(), "/metadata/acme.pages/index.json", &r); err != nil {
			t.Fatal(err)
		}
		if r.Count != len(pages) || len(r.Items) != len(pages) {
			t.Fatalf("the index has %d pages, not %v", r.Count, pages)
		}
		for i, page := range r.Items {
			if page.Count != pages[i] {
				t.Errorf("page %d has %d leaves, not %d", i, page.Count, pages[i])
			}
		}
		return r
	}
	caller.pushAll(t, manyVersions(id, 0, 127))
	for i, page := range index(64, 63).Items {
		if len(page.Items) != page.Count {
			t.Errorf("page %d is not inlined", i)
		}
	}
	caller.pushAll(t, manyVersions(id, 127, 3))
	old := index(64, 64, 2)
	caller.pushAll(t, manyVersions(id, 130, 10))
	for i, page := range append(old.Items, index(64, 64, 12).Items...) {
		if page.Items != nil {
			t.Errorf("page %d is inlined", i)
		}
		var whole registrationPage
		if err := caller.json(t.Context(), page.ID, &whole); err != nil {
			t.Error(err)
			continue
		}
		if len(whole.Items) != whole.Count || len(whole.Items) < page.Count || whole.Lower != page.Lower {
			t.Errorf("%s has %d leaves from %s on, not %d from %s on", page.ID, len(whole.Items), whole.Lower, page.Count, page.Lower)
		}
	}

	// The newest version is on the last page.
	c := needNuGet(t, "dotnet")
	app, home := t.TempDir(), t.TempDir()
	file, content := nugetProject(c, [][2]string{{id, "1.0.5"}})
	if err := writeFile(filepath.Join(app, file), content); err != nil {
		t.Fatal(err)
	}
	if err := (nugetLogin{source: caller.base, user: w.vars["RO_USER"], password: w.vars["RO"]}).write(home, c); err != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{{"restore"}, {"list", "package", "--outdated"}} {
		out, err := c.run(home, app, argv)
		if err != nil || argv[0] == "list" && !bytes.Contains(out, []byte("1.0.139")) {
			t.Errorf("dotnet %q: %v\n%s", argv, err, out)
		}
	}
}

// needNuGet gives an installed client.
func needNuGet(t testing.TB, name string) client {
	t.Helper()
	c, ok := findNuGetClient(name)
	if _, installed := findProgram(name); !ok || !installed {
		missing(t, name, "nuget.sh")
	}
	return c
}

// TestNuGetUnlisted: an unlisted version is named by nothing that offers
// versions, and stays where it is for builds that name it (nuget.md 16.4).
func TestNuGetUnlisted(t *testing.T) {
	t.Parallel()
	_, caller := nugetWorld(t, "unlisted")
	const id = "Acme.Unlisted"
	caller.pushAll(t, manyVersions(id, 0, 2))
	offers := []struct{ name, path string }{
		{"search", "/query?q=packageid:acme.unlisted"},
		{"search result's versions", "/query?q=unlisted"},
		{"autocomplete", "/autocomplete?id=acme.unlisted"},
		{"V2 search", "/v2/Search()?$filter=IsLatestVersion&searchTerm='unlisted'"},
	}
	check := func(offered bool) {
		t.Helper()
		for _, o := range offers {
			text, err := caller.get(t.Context(), o.path)
			if err != nil {
				t.Error(err)
				continue
			}
			// V2's search tells the newest version alone.
			if bytes.Contains(text, []byte("1.0.1")) != offered || bytes.Contains(text, []byte("1.0.0")) == (offered && strings.Contains(o.path, "v2")) {
				t.Errorf("%s, with 1.0.1 offered %v: %s", o.name, offered, text)
			}
		}
		var r registration
		if err := caller.json(t.Context(), "/metadata/acme.unlisted/index.json", &r); err != nil {
			t.Fatal(err)
		}
		if leaf := r.Items[0].Items[1].CatalogEntry; leaf.Version != "1.0.1" || leaf.Listed != offered {
			t.Errorf("the registration tells %+v", leaf)
		}
		if _, err := caller.download(t.Context(), id, "1.0.1"); err != nil {
			t.Error(err)
		}
		if versions, err := caller.versions(t.Context(), id); err != nil || len(versions) != 2 {
			t.Errorf("the flat container lists %v, %v", versions, err)
		}
	}
	check(true)
	for _, step := range []struct {
		method  string
		status  int
		offered bool
	}{
		{http.MethodDelete, http.StatusNoContent, false},
		{http.MethodDelete, http.StatusNoContent, false}, // of one that is unlisted already
		{http.MethodPost, http.StatusOK, true},
		{http.MethodPost, http.StatusOK, true},
	} {
		status, answer, err := caller.do(t.Context(), step.method, "/"+id+"/1.0.1", nil, nil)
		if err != nil || status != step.status {
			t.Errorf("%s: %d %s %v", step.method, status, answer, err)
		}
		check(step.offered)
	}
}
