package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestNuGetSamePackage pushes the same file with three clients: the first one
// wins, and its bytes are those that come back (nuget.md 16.1).
func TestNuGetSamePackage(t *testing.T) {
	t.Parallel()
	w, caller := nugetWorld(t, "same")
	p := nupkg{id: "Acme.Same", version: "1.0.0", size: 5000}
	content, err := p.build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "same.nupkg"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"dotnet", "nuget5", "nuget2"} {
		c, home := needNuGet(t, name), t.TempDir()
		if err := (nugetLogin{source: caller.base}).write(home, c); err != nil {
			t.Fatal(err)
		}
		lines, ok := c.commands("push-key", []string{"same.nupkg", w.vars["RW"]})
		if !ok {
			t.Fatalf("%s has no verb push-key", name)
		}
		out, err := c.run(home, dir, lines[0])
		if (err == nil) != (i == 0) || i > 0 && !bytes.Contains(out, []byte("409")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	got, err := caller.download(t.Context(), p.id, p.version)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back of %d: %v", len(got), len(content), err)
	}
}

// TestNuGetParallelPush pushes twenty packages of one identity at once: one is
// taken, and its bytes are served (nuget.md 7.1, 16.7).
func TestNuGetParallelPush(t *testing.T) {
	t.Parallel()
	_, caller := nugetWorld(t, "atonce")
	const count = 20
	spellings := []string{"1.0", "1.0.0", "1.0.0.0", "01.0.0"}
	var mu sync.Mutex
	var taken []string
	var pushers sync.WaitGroup
	for i := range count {
		pushers.Go(func() {
			p := nupkg{id: "Acme.AtOnce", version: spellings[i%len(spellings)], size: 1000 + i}
			content, err := p.build()
			if err != nil {
				t.Error(err)
				return
			}
			body, err := pushBody(content)
			if err != nil {
				t.Error(err)
				return
			}
			switch err := caller.send(t.Context(), "/", body); {
			case err == nil:
				mu.Lock()
				taken = append(taken, packageHash(content))
				mu.Unlock()
			case !refusedWith(err, http.StatusConflict):
				t.Error(err)
			}
		})
	}
	pushers.Wait()
	got, err := caller.download(t.Context(), "Acme.AtOnce", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if len(taken) != 1 || taken[0] != packageHash(got) {
		t.Errorf("%d pushes were taken; served is %s, not %v", len(taken), packageHash(got), taken)
	}
}

// TestNuGetSymbols asks for a PDB in all the ways that debuggers do (nuget.md
// 8.2, 16.8).
func TestNuGetSymbols(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	w, caller := nugetWorld(t, "symbols")
	p := nupkg{id: "Acme.Symbols", version: "1.0.0", size: 100}
	if err := caller.push(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	snupkg, key, checksum, err := p.symbols()
	if err != nil {
		t.Fatal(err)
	}
	body, err := pushBody(snupkg)
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.send(t.Context(), "/symbolpackage", body); err != nil {
		t.Fatal(err)
	}
	if err := caller.send(t.Context(), "/", body); !refusedWith(err, http.StatusBadRequest) {
		t.Errorf("symbols pushed as a package: %v", err)
	}
	if err := caller.send(t.Context(), "/symbolpackage/", body); !refusedWith(err, http.StatusConflict) {
		t.Errorf("symbols pushed again: %v", err)
	}
	if _, err := s.command("setting", "set", "--project", w.vars["PROJECT_PATH"], "nuget_symbol_server_enabled", "true"); err != nil {
		t.Fatal(err)
	}
	want, _, _ := portablePDB(p.id, p.version)
	const file = "Acme.Symbols.pdb"
	// A running server sees what commands change within a second.
	eventually(t, time.Second, func(context.Context) error {
		status, _, _, err := request(http.MethodGet, fmt.Sprintf("%s/symbolfiles/%s/%s/%s", caller.base, file, key, file),
			http.Header{"Symbolchecksum": {checksum}}, nil)
		if err == nil && !strings.HasPrefix(status, "200") {
			err = errors.New(status)
		}
		return err
	})
	for _, tt := range []struct {
		name, file, key, checksum string
		anonymous                 bool
		status                    int
	}{
		{"upper case", file, key, checksum, true, 200},
		{"lower case", strings.ToLower(file), strings.ToLower(key), strings.ToLower(checksum), true, 200},
		{"key alone", file, key[:32], checksum, true, 200},
		{"checksums of other files before it", file, key, "SHA256:" + strings.Repeat("0", 64) + ";" + checksum, true, 200},
		{"no checksum, with a credential", file, key, "", false, 200},
		{"no checksum, without a credential", file, key, "", true, 404},
		{"another checksum", file, key, "SHA256:" + strings.Repeat("0", 64), true, 404},
		{"another key", file, strings.Repeat("0", 32) + "FFFFFFFF", checksum, true, 404},
		{"another file", "Other.pdb", key, checksum, true, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asks := caller
			header := http.Header{}
			if tt.checksum != "" {
				header.Set("SymbolChecksum", tt.checksum)
			}
			url := fmt.Sprintf("%s/symbolfiles/%s/%s/%s", asks.base, tt.file, tt.key, tt.file)
			var status string
			var got []byte
			var err error
			if tt.anonymous {
				status, _, got, err = request(http.MethodGet, url, header, nil)
			} else {
				var code int
				code, got, err = asks.do(t.Context(), http.MethodGet, url, header, nil)
				status = fmt.Sprint(code)
			}
			if err != nil || !strings.HasPrefix(status, fmt.Sprint(tt.status)) {
				t.Fatalf("%s, not %d: %s %v", status, tt.status, got, err)
			}
			if tt.status == 200 && !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back, not the PDB", len(got))
			}
		})
	}
}
