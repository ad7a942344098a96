package nuget

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

// The id of testPDB(t, 1), as debuggers write it, and its checksum.
const testSignature = "00112233445566778899AABBCCDDEE01"

func testChecksum(t *testing.T, pdb []byte) string {
	t.Helper()
	contents, err := ReadSymbols(strings.NewReader(string(buildSnupkg(t, nupkgSpec{}))), int64(len(buildSnupkg(t, nupkgSpec{}))))
	check(t, err)
	if len(contents.PDBs) != 1 {
		t.Fatalf("%d PDBs", len(contents.PDBs))
	}
	if plain := sha256.Sum256(pdb); contents.PDBs[0].Checksum == hex.EncodeToString(plain[:]) {
		t.Fatal("the checksum is that of the bytes with their id")
	}
	return contents.PDBs[0].Checksum
}

func TestPushSymbols(t *testing.T) {
	w := newWorld(t)
	symbols := buildSnupkg(t, nupkgSpec{})
	before := w.want(w.push(demo+"/symbolpackage/", w.write, symbols), http.StatusNotFound)
	if !strings.Contains(before.Header().Get("X-Nuget-Warning"), "before its symbols") {
		t.Errorf("warning %q", before.Header().Get("X-Nuget-Warning"))
	}
	w.publish(nupkgSpec{})
	w.want(w.push(demo+"/symbolpackage", w.read, symbols), http.StatusForbidden)
	w.want(w.push(demo+"/symbolpackage", w.write, symbols), http.StatusCreated)
	w.want(w.push(demo+"/symbolpackage", w.write, symbols), http.StatusConflict)
	wrong := w.want(w.push(demo+"/symbolpackage", w.write, buildNupkg(t, nupkgSpec{Version: "2.0.0"})), http.StatusBadRequest)
	if !strings.Contains(wrong.Body.String(), "address of packages") {
		t.Errorf("a package among symbols: %s", wrong.Body)
	}
	windows := buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: "lib/a.pdb", body: "Microsoft C/C++ MSF 7.00\r\n\x1aDS\x00\x00\x00"}}})
	w.want(w.push(demo+"/symbolpackage", w.write, windows), http.StatusBadRequest)
	got := w.want(w.get(demo, "/download/acme.log/1.0/acme.log.1.0.0.snupkg", w.read), http.StatusOK)
	if got.Body.String() != string(symbols) {
		t.Error("the symbols that are served are others")
	}
	if got := w.versionsOf("acme.log"); got != "1.0.0" {
		t.Errorf("versions %s", got)
	}
	w.set(1, settingDuplicates, "true")
	w.want(w.push(demo+"/symbolpackage", w.write, symbols), http.StatusCreated)
}

// Who gets a PDB, in all spellings of its address (nuget.md 8.2). What is hidden
// is 404: debuggers make nothing of a challenge.
func TestSymbolServer(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{})
	w.want(w.push(demo+"/symbolpackage", w.write, buildSnupkg(t, nupkgSpec{})), http.StatusCreated)
	pdb := testPDB(t, 1)
	sum := testChecksum(t, pdb)
	at := func(key string) string { return "/symbolfiles/Acme.Log.pdb/" + key + "/Acme.Log.pdb" }
	const age = "FFFFFFFF"
	others := strings.Repeat("0", 64)
	tests := []struct {
		name, feed, path, token, checksum string
		enabled                           bool
		status                            int
	}{
		{name: "reader", feed: demo, path: at(testSignature + age), token: w.read, status: 200},
		{name: "reader, lower case", feed: demo, path: strings.ToLower(at(testSignature + age)), token: w.read, status: 200},
		{name: "reader, without age", feed: demo, path: at(testSignature), token: w.read, status: 200},
		{name: "reader, folders before", feed: demo, path: "/symbolfiles/x/y" + strings.TrimPrefix(at(testSignature), "/symbolfiles"), token: w.read, status: 200},
		{name: "reader, other checksum", feed: demo, path: at(testSignature + age), token: w.read, checksum: "SHA256:" + others, status: 200},
		{name: "reader, by the group", feed: acme, path: at(testSignature + age), token: w.group, status: 200},
		{name: "reader, Windows key", feed: demo, path: at(testSignature + "1"), token: w.read, status: 404},
		{name: "reader, other id", feed: demo, path: at(strings.Repeat("0", 32) + age), token: w.read, status: 404},
		{name: "reader, other project", feed: lib, path: at(testSignature + age), token: w.group, status: 404},
		{name: "two names", feed: demo, path: "/symbolfiles/a.pdb/" + testSignature + age + "/b.pdb", token: w.read, status: 404},
		{name: "nobody", feed: demo, path: at(testSignature + age), status: 404},
		{name: "nobody, checksum, off", feed: demo, path: at(testSignature + age), checksum: "SHA256:" + sum, status: 404},
		{name: "nobody, on, no checksum", feed: demo, path: at(testSignature + age), enabled: true, status: 404},
		{name: "nobody, on, other checksum", feed: demo, path: at(testSignature + age), enabled: true, checksum: "SHA256:" + others, status: 404},
		{name: "nobody, on, checksum", feed: demo, path: at(testSignature + age), enabled: true, checksum: "SHA256:" + strings.ToUpper(sum), status: 200},
		{name: "nobody, on, piled up", feed: demo, path: at(testSignature + age), enabled: true, checksum: "SHA256:" + others + ", sha256:" + sum + ";SHA384:00", status: 200},
		{name: "stranger, on, no checksum", feed: demo, path: at(testSignature + age), token: w.foreign, enabled: true, status: 404},
		{name: "bad token, on, checksum", feed: demo, path: at(testSignature + age), token: "gldt-nobodyknowsthis", enabled: true, checksum: "SHA256:" + sum, status: 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.set(1, settingSymbolServer, map[bool]string{true: "true", false: "false"}[tt.enabled])
			var header []string
			if tt.checksum != "" {
				header = []string{"SymbolChecksum", tt.checksum}
			}
			a := w.get(tt.feed, tt.path, tt.token, header...)
			if a.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", a.Code, tt.status, a.Body)
			}
			if a.Code == http.StatusOK && a.Body.String() != string(pdb) {
				t.Error("other bytes")
			}
			if a.Header().Get("Www-Authenticate") != "" {
				t.Error("a debugger is asked for a credential")
			}
		})
	}
	w.set(1, settingDelete, "delete")
	w.want(w.call(http.MethodDelete, demo+"/acme.log/1.0.0", w.write, nil), http.StatusNoContent)
	w.want(w.get(demo, at(testSignature+age), w.read), http.StatusNotFound)
}

// The setting of a group holds for the projects below it, at any depth.
func TestSymbolServerOfGroup(t *testing.T) {
	w := newWorld(t)
	w.want(w.push(lib, w.group, buildNupkg(t, nupkgSpec{})), http.StatusCreated)
	w.want(w.push(lib+"/symbolpackage", w.group, buildSnupkg(t, nupkgSpec{})), http.StatusCreated)
	path := "/symbolfiles/acme.log.pdb/" + testSignature + "/acme.log.pdb"
	header := []string{"SymbolChecksum", "SHA256:" + testChecksum(t, testPDB(t, 1))}
	w.want(w.get(lib, path, "", header...), http.StatusNotFound)
	on := "true"
	check(t, w.packages.SaveSetting(t.Context(), registry.Span{GroupID: 1}, settingSymbolServer, &on, by))
	w.want(w.get(lib, path, "", header...), http.StatusOK)
	w.set(2, settingSymbolServer, "false")
	w.want(w.get(lib, path, "", header...), http.StatusNotFound)
}
