package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
)

// versionAt numbers versions: 1.0.0, 1.0.1, … 1.1.0, … 2.0.0.
func versionAt(i int) string { return fmt.Sprintf("%d.%d.%d", 1+i/1000, i/10%100, i%10) }

// manifest makes a package.json as large as that of a real library: a version
// takes about 2 KB of the packument. Its text follows from name and version.
func manifest(name, version string) map[string]any {
	seed := [32]byte{}
	copy(seed[:], version+name)
	random := rand.New(rand.NewChaCha8(seed))
	dependencies := func(kind string, n int) map[string]string {
		all := map[string]string{}
		for i := range n {
			all[fmt.Sprintf("@bench/%s-%d-library", kind, i)] = fmt.Sprintf("^%d.%d.%d", random.IntN(9), random.IntN(40), random.IntN(20))
		}
		return all
	}
	return map[string]any{
		"name": name, "version": version,
		"description": "A package that is published to find out how long that takes",
		"keywords":    []string{"bench", "load", "registry", "packument"},
		"main":        "dist/index.cjs", "module": "dist/index.mjs", "types": "dist/index.d.ts", "type": "module",
		"exports":          map[string]any{".": map[string]string{"types": "./dist/index.d.ts", "import": "./dist/index.mjs", "require": "./dist/index.cjs"}},
		"bin":              map[string]string{"bench": "bin/bench.js"},
		"files":            []string{"dist", "bin", "README.md"},
		"engines":          map[string]string{"node": ">=18.0.0"},
		"scripts":          map[string]string{"build": "tsup src/index.ts --format cjs,esm --dts", "test": "vitest run", "lint": "eslint src --max-warnings 0"},
		"author":           map[string]string{"name": "Bench Author", "email": "author@example.com"},
		"license":          "MIT",
		"repository":       map[string]string{"type": "git", "url": "git+https://example.com/bench/" + name + ".git", "directory": "packages/lib"},
		"bugs":             map[string]string{"url": "https://example.com/bench/issues"},
		"homepage":         "https://example.com/bench#readme",
		"dependencies":     dependencies("runtime", 6),
		"devDependencies":  dependencies("development", 2),
		"peerDependencies": dependencies("peer", 1),
	}
}

// packer makes small publishes; a new compressor for each would take most of the
// time. It belongs to one goroutine.
type packer struct{ gz *gzip.Writer }

func newPacker() packer { return packer{gzip.NewWriter(nil)} }

// document is the body of a publish, as npm sends it.
func (p packer) document(name, version string, payload int) ([]byte, error) {
	described := manifest(name, version)
	var tarball bytes.Buffer
	p.gz.Reset(&tarball)
	if err := writeTarball(p.gz, described, randomReader(version, int64(payload)), int64(payload)); err != nil {
		return nil, err
	}
	sha, sum := sha1.Sum(tarball.Bytes()), sha512.Sum512(tarball.Bytes())
	published := maps.Clone(described)
	published["_id"] = name + "@" + version
	published["dist"] = map[string]any{
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]), "shasum": hex.EncodeToString(sha[:]),
	}
	return json.Marshal(map[string]any{
		"_id": name, "name": name, "dist-tags": map[string]string{"latest": version},
		"versions": map[string]any{version: published},
		"_attachments": map[string]any{attachment(name, version): map[string]any{
			"content_type": "application/octet-stream", "length": tarball.Len(), "data": base64.StdEncoding.EncodeToString(tarball.Bytes()),
		}},
	})
}

func attachment(name, version string) string { return name + "-" + version + ".tgz" }

// streamDocument is a publish with a large tarball, made while it is read.
// Close it.
func streamDocument(name, version string, size int64) (io.ReadCloser, error) {
	described := manifest(name, version)
	text, err := json.Marshal(described)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(`{"_id":%q,"name":%q,"dist-tags":{"latest":%q},"versions":{%q:%s},"_attachments":{%q:{"content_type":"application/octet-stream","data":"`,
		name, name, version, version, text, attachment(name, version))
	reader, writer := io.Pipe()
	go func() {
		// Whoever closes the reader sees to it that each write here ends.
		writer.CloseWithError(writeStream(writer, head, described, size))
	}()
	return reader, nil
}

func writeStream(w io.Writer, head string, described map[string]any, size int64) error {
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	// Stored and not compressed: the client must be faster than the server.
	gz, err := gzip.NewWriterLevel(encoder, gzip.NoCompression)
	if err != nil {
		return err
	}
	if err := writeTarball(gz, described, randomReader("large", size), size); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	_, err = io.WriteString(w, `"}}}`)
	return err
}

// writeTarball packs package.json and a payload, and closes gz.
func writeTarball(gz *gzip.Writer, described map[string]any, payload io.Reader, size int64) error {
	text, err := json.Marshal(described)
	if err != nil {
		return err
	}
	packed := tar.NewWriter(gz)
	for _, file := range []struct {
		name    string
		size    int64
		content io.Reader
	}{
		{"package/package.json", int64(len(text)), bytes.NewReader(text)},
		{"package/dist/payload.bin", size, payload},
	} {
		if err := packed.WriteHeader(&tar.Header{Name: file.name, Mode: 0o644, Size: file.size, Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{packed}, struct{ io.Reader }{file.content}, make([]byte, min(file.size+1, 1<<20))); err != nil {
			return err
		}
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return gz.Close()
}

// randomReader gives bytes that do not compress.
func randomReader(seed string, size int64) io.Reader {
	var key [32]byte
	copy(key[:], seed)
	return io.LimitReader(rand.NewChaCha8(key), size)
}

// escapeName is a package's name in an address, as npm writes it.
func escapeName(name string) string { return strings.ReplaceAll(name, "/", "%2f") }
