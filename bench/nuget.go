package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
)

// NuGet packages that measureNuGet puts into the registry.
const (
	nugetUsual = "Bench.Usual" // usualVersions versions
	nugetFiles = "Bench.Files" // one of 100 KB
)

// nuget gives the same server as NuGet's clients see it.
func (w *world) nuget() *world {
	n := *w
	n.registry = w.packages + "nuget/"
	var r http.Request
	r.Header = http.Header{}
	r.SetBasicAuth(w.user, w.token)
	n.credential = r.Header
	n.prefix = "Bench."
	n.pack = newPush
	return &n
}

// measureNuGet compares what restores read, and pushes as the section publish
// does for npm.
func (b *bench) measureNuGet(ctx context.Context, w *world) error {
	n := w.nuget()
	if err := n.publishVersions(ctx, nugetUsual, usualVersions); err != nil {
		return err
	}
	file, err := pushOf(nugetFiles, "1.0.0", filePayload)
	if err != nil {
		return err
	}
	if err := n.put(ctx, file.path, file.contentType, bytes.NewReader(file.body)); err != nil {
		return err
	}
	for _, workers := range []int{1, 8} {
		rate, err := n.publishRate(ctx, "", workers, 2*b.round)
		if err != nil {
			return err
		}
		target := publishTargets["SQLite"][workers]
		b.table.add(row{
			work: fmt.Sprintf("push new NuGet packages, %d at once, SQLite", workers),
			ours: fmt.Sprintf("%.0f/s", rate), target: fmt.Sprintf("≥ %.0f/s", target), met: verdict(rate >= target),
		})
	}
	id, files := strings.ToLower(nugetUsual), strings.ToLower(nugetFiles)
	gzip := []string{"Accept-Encoding", "gzip"}
	return b.compareAll(ctx, n, []read{
		{work: "NuGet registration of 50 versions, gzip", path: "metadata/" + id + "/index.json", header: gzip, folder: "gzip", target: 0.6},
		{work: "NuGet registration of 50 versions, 304", path: "metadata/" + id + "/index.json", header: gzip, folder: "gzip", again: true, target: 0.6},
		{work: "NuGet version list of 50 versions, not compressed", path: "download/" + id + "/index.json", folder: "json", target: 0.6},
		{work: "nupkg of 100 KB", path: "download/" + files + "/1.0.0/" + files + ".1.0.0.nupkg", folder: "file", target: 0.6},
	})
}

// newPush makes a small push as newPublish does for npm.
func newPush(_ packer, id, version string) (publish, error) { return pushOf(id, version, smallPayload) }

// pushOf is what NuGet's clients send: a form with the package as its only part.
func pushOf(id, version string, payload int) (publish, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("package", "package.nupkg")
	if err != nil {
		return publish{}, err
	}
	if err := writeNupkg(part, id, version, payload); err != nil {
		return publish{}, err
	}
	err = form.Close()
	return publish{contentType: form.FormDataContentType(), body: body.Bytes()}, err
}

// writeNupkg packs a nuspec as large as that of a real library, and a payload
// that does not compress.
func writeNupkg(w io.Writer, id, version string, payload int) error {
	packed := zip.NewWriter(w)
	for _, file := range []struct {
		name    string
		method  uint16
		content io.Reader
	}{
		{id + ".nuspec", zip.Deflate, strings.NewReader(nuspec(id, version))},
		{"lib/netstandard2.0/" + id + ".dll", zip.Store, randomReader(version, int64(payload))},
	} {
		entry, err := packed.CreateHeader(&zip.FileHeader{Name: file.name, Method: file.method})
		if err != nil {
			return err
		}
		if _, err := io.Copy(entry, file.content); err != nil {
			return err
		}
	}
	return packed.Close()
}

// nuspec follows from id and version.
func nuspec(id, version string) string {
	seed := [32]byte{}
	copy(seed[:], version+id)
	random := rand.New(rand.NewChaCha8(seed))
	var groups strings.Builder
	for _, framework := range []string{"net462", "netstandard2.0", "net8.0"} {
		fmt.Fprintf(&groups, "<group targetFramework=%q>", framework)
		for i := range 3 {
			fmt.Fprintf(&groups, `<dependency id="Bench.Runtime%d" version="%d.%d.%d" exclude="Build,Analyzers"/>`,
				i, random.IntN(9), random.IntN(40), random.IntN(20))
		}
		groups.WriteString("</group>")
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
<id>%s</id><version>%s</version><title>%s</title><authors>Bench Author, Second Author</authors>
<license type="expression">MIT</license><projectUrl>https://example.com/bench</projectUrl>
<description>A package that is published to find out how long that takes, with a description as long as most are.</description>
<releaseNotes>Measures once more.</releaseNotes><copyright>Bench Author</copyright><tags>bench load registry registration</tags>
<repository type="git" url="https://example.com/bench/library.git" commit="0123456789abcdef0123456789abcdef01234567"/>
<dependencies>%s</dependencies></metadata></package>`, id, version, id, groups.String())
}
