package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// nugetMany is how many versions one package gets.
const nugetMany = 3000

// TestNuGetManyVersions: every client lists and restores a package of thousands
// of versions; no document grows with all of them but the flat list.
func TestNuGetManyVersions(t *testing.T) {
	t.Parallel()
	w, caller := nugetWorld(t, "many")
	const id = "Acme.Many"
	start := time.Now()
	caller.pushAll(t, manyVersions(id, 0, nugetMany))
	t.Logf("%d versions pushed in %s", nugetMany, time.Since(start).Round(time.Millisecond))
	versions, err := caller.versions(t.Context(), id)
	if err != nil || len(versions) != nugetMany || versions[0] != "1.0.0" || versions[9] != "1.0.9" || versions[nugetMany-1] != "1.0.2999" {
		t.Fatalf("%d versions are listed, %v", len(versions), err)
	}
	start = time.Now()
	var index registration
	if err := caller.json(t.Context(), "/metadata/acme.many/index.json", &index); err != nil {
		t.Fatal(err)
	}
	t.Logf("the index came in %s", time.Since(start).Round(time.Microsecond))
	if want := (nugetMany + 63) / 64; len(index.Items) != want || index.Items[want-1].Upper != "1.0.2999" {
		t.Errorf("the index has %d pages, not %d", len(index.Items), want)
	}
	for _, page := range index.Items {
		if sent, err := sentBytes(t.Context(), caller, page.ID); err != nil || sent > 100_000 {
			t.Errorf("%s takes %d bytes: %v", page.ID, sent, err)
		}
	}

	login := nugetLogin{source: caller.base, user: w.vars["RO_USER"], password: w.vars["RO"]}
	run := func(name string, argv ...string) string {
		c, home, dir := needNuGet(t, name), t.TempDir(), t.TempDir()
		if err := login.write(home, c); err != nil {
			t.Fatal(err)
		}
		file, content := nugetProject(c, [][2]string{{id, "1.*"}})
		if err := writeFile(filepath.Join(dir, file), content); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		out, err := c.run(home, dir, argv)
		if err != nil {
			t.Errorf("%s %q: %v\n%.2000s", name, argv, err, out)
		}
		t.Logf("%s %s: %s", name, argv[0], time.Since(start).Round(10*time.Millisecond))
		if installed, err := filepath.Glob(filepath.Join(dir, "packages", "*", "*")); argv[0] != "list" && (err != nil || len(installed) == 0 ||
			!strings.Contains(strings.Join(installed, " "), "2999")) {
			t.Errorf("%s %q brought %q, %v", name, argv, installed, err)
		}
		return string(out)
	}
	run("dotnet", "restore")
	run("nuget5", "install", id, "-OutputDirectory", "packages", "-NonInteractive")
	// 2.8 and the list command of 5.8 read V2, page by page.
	for _, name := range []string{"nuget5", "nuget2"} {
		listed := run(name, "list", id, "-AllVersions", "-Source", "reg", "-NonInteractive")
		if n := strings.Count(listed, id+" 1.0."); n != nugetMany {
			t.Errorf("%s lists %d versions", name, n)
		}
	}
}

// sentBytes tells how much of a document goes over the wire.
func sentBytes(ctx context.Context, caller nugetRaw, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	// Said here, it is not undone by the transport.
	req.Header.Set("Accept-Encoding", "gzip")
	req.SetBasicAuth(caller.user, caller.key)
	res, err := caller.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" {
		return 0, fmt.Errorf("GET %s: %s, coding %q", url, res.Status, res.Header.Get("Content-Encoding"))
	}
	return io.Copy(io.Discard, res.Body)
}

// TestNuGetLoad is a small form of 300 parallel cold restores of 100 ids
// (nuget.md 16.14): each reads the list and the package of every id, and asks
// for as many ids that are not there, as builds with several sources do.
func TestNuGetLoad(t *testing.T) {
	t.Parallel()
	const ids, restores = 100, 30
	_, caller := nugetWorld(t, "load")
	var all []nupkg
	for i := range ids {
		all = append(all, nupkg{id: fmt.Sprintf("Acme.Load%d", i), version: "1.0.0", size: 10_000})
	}
	caller.pushAll(t, all)
	start := time.Now()
	var running sync.WaitGroup
	for range restores {
		running.Go(func() {
			for _, p := range all {
				versions, err := caller.versions(t.Context(), p.id)
				if err != nil || !slices.Equal(versions, []string{"1.0.0"}) {
					t.Errorf("%s: %q, %v", p.id, versions, err)
				}
				content, err := caller.download(t.Context(), p.id, "1.0.0")
				if err != nil {
					t.Error(err)
					continue
				}
				if got, err := payloadOf(content); err != nil || samePayload(p.id, p.version, got) != nil {
					t.Errorf("%s came with other bytes: %v", p.id, err)
				}
				if versions, err := caller.versions(t.Context(), "Public."+p.id); err != nil || versions != nil {
					t.Errorf("Public.%s: %q, %v", p.id, versions, err)
				}
			}
		})
	}
	running.Wait()
	t.Logf("%d requests in %s", 3*ids*restores, time.Since(start).Round(time.Millisecond))
}
