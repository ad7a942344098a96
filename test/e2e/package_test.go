package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// pkg DIR NAME VERSION [FIELD=JSON...]: a folder ready to publish, with more
// fields of package.json. A folder that exists is written again.
func cmdPkg(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: pkg DIR NAME VERSION [FIELD=JSON...]")
	}
	dir := ts.MkAbs(args[0])
	manifest := map[string]any{"description": "made by the end-to-end tests", "main": "index.js"}
	for _, field := range args[3:] {
		key, value, ok := strings.Cut(field, "=")
		if !ok || !json.Valid([]byte(value)) {
			ts.Fatalf("pkg: %q is not FIELD=JSON", field)
		}
		manifest[key] = json.RawMessage(value)
	}
	ts.Check(writePackage(dir, args[1], args[2], manifest))
}

// writePackage makes a package whose payload follows from its name and
// version, so that whoever installs it can tell the right bytes.
func writePackage(dir, name, version string, manifest map[string]any) error {
	manifest["name"], manifest["version"] = name, version
	packageJSON, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for file, content := range map[string][]byte{
		"package.json": packageJSON,
		"index.js":     fmt.Appendf(nil, "module.exports = %q;\n", version),
		"README.md":    fmt.Appendf(nil, "# %s\n", name),
		"payload.bin":  payload(name, version, 3000),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// payload gives size bytes that do not compress and that no other name and
// version has.
func payload(name, version string, size int) []byte {
	data := make([]byte, size)
	seed := sha256.Sum256([]byte(name + "@" + version))
	// The error of a ChaCha8 is always nil.
	_, _ = rand.NewChaCha8(seed).Read(data)
	return data
}

// app DIR [NAME@RANGE...]: a folder that depends on packages.
func cmdApp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: app DIR [NAME@RANGE...]")
	}
	dependencies := map[string]string{}
	for _, spec := range args[1:] {
		at := strings.LastIndex(spec, "@")
		if at <= 0 {
			ts.Fatalf("app: %q is not NAME@RANGE", spec)
		}
		dependencies[spec[:at]] = spec[at+1:]
	}
	manifest, err := json.MarshalIndent(map[string]any{
		"name": "app", "version": "1.0.0", "private": true, "dependencies": dependencies,
	}, "", "  ")
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o644))
}

// installed DIR NAME VERSION: the app in DIR has this version with the bytes
// that were published. Negated: it does not have the package at all.
func cmdInstalled(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 && (!neg || len(args) != 2) {
		ts.Fatalf("usage: installed DIR NAME VERSION, or ! installed DIR NAME")
	}
	dir := filepath.Join(ts.MkAbs(args[0]), "node_modules", filepath.FromSlash(args[1]))
	if neg {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			ts.Fatalf("%s is there (%v)", dir, err)
		}
		return
	}
	raw, err := os.ReadFile(filepath.Join(dir, "package.json"))
	ts.Check(err)
	var manifest struct{ Name, Version string }
	ts.Check(json.Unmarshal(raw, &manifest))
	if manifest.Name != args[1] || manifest.Version != args[2] {
		ts.Fatalf("%s holds %s@%s, not %s@%s", dir, manifest.Name, manifest.Version, args[1], args[2])
	}
	got, err := os.ReadFile(filepath.Join(dir, "payload.bin"))
	ts.Check(err)
	if !bytes.Equal(got, payload(args[1], args[2], len(got))) || len(got) == 0 {
		ts.Fatalf("%s has not the bytes that were published", dir)
	}
}
