package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Maven packages that measureMaven puts into the registry, below this group.
const (
	mavenGroup = "org/bench"
	mavenUsual = "usual" // usualVersions versions
	mavenFiles = "files" // one with a jar of 100 KB
)

// maven gives the same server as Maven sees it.
func (w *world) maven() *world {
	m := *w
	m.registry = w.packages + "maven/"
	pair := base64.StdEncoding.EncodeToString([]byte(w.user + ":" + w.token))
	m.credential = http.Header{"Authorization": {"Basic " + pair}}
	return &m
}

// measureMaven compares what builds read, and deploys.
func (b *bench) measureMaven(ctx context.Context, w *world) error {
	m := w.maven()
	for i := range usualVersions {
		if err := m.deploy(ctx, mavenUsual, versionAt(i), smallPayload); err != nil {
			return err
		}
	}
	if err := m.deploy(ctx, mavenFiles, "1.0.0", filePayload); err != nil {
		return err
	}
	for _, workers := range []int{1, 8} {
		rate, err := m.deployRate(ctx, workers, 2*b.round)
		if err != nil {
			return err
		}
		b.table.add(row{
			work: fmt.Sprintf("deploy new Maven artifacts, %d at once, SQLite (10 requests each)", workers),
			ours: fmt.Sprintf("%.0f/s", rate),
		})
	}
	files := mavenGroup + "/" + mavenFiles + "/1.0.0/" + mavenFiles + "-1.0.0"
	return b.compareAll(ctx, m, []read{
		{work: "maven-metadata.xml of 50 versions", path: mavenGroup + "/" + mavenUsual + "/maven-metadata.xml", folder: "file", target: 0.6},
		{work: "checksum of a jar", path: files + ".jar.sha1", folder: "file", target: 0.6},
		{work: "jar of 100 KB", path: files + ".jar", folder: "file", target: 0.6},
	})
}

// deploy sends what Maven sends for a jar: each file with two checksums, then the
// metadata that it asked for, with the new version in it.
func (w *world) deploy(ctx context.Context, artifact, version string, payload int) error {
	folder := mavenGroup + "/" + artifact
	prefix := folder + "/" + version + "/" + artifact + "-" + version
	jar, err := io.ReadAll(randomReader(artifact+version, int64(payload)))
	if err != nil {
		return err
	}
	if err := w.putWithSums(ctx, prefix+".jar", jar); err != nil {
		return err
	}
	if err := w.putWithSums(ctx, prefix+".pom", pom(artifact, version)); err != nil {
		return err
	}
	known, err := w.knownVersions(ctx, folder)
	if err != nil {
		return err
	}
	metadata := fmt.Sprintf("<metadata><groupId>%s</groupId><artifactId>%s</artifactId><versioning><release>%s</release>"+
		"<versions>%s<version>%s</version></versions></versioning></metadata>",
		strings.ReplaceAll(mavenGroup, "/", "."), artifact, version, known, version)
	return w.putWithSums(ctx, folder+"/maven-metadata.xml", []byte(metadata))
}

func (w *world) putWithSums(ctx context.Context, path string, content []byte) error {
	sha, sum := sha1.Sum(content), md5.Sum(content)
	for _, file := range []struct {
		path    string
		content []byte
	}{
		{path, content},
		{path + ".sha1", []byte(hex.EncodeToString(sha[:]))},
		{path + ".md5", []byte(hex.EncodeToString(sum[:]))},
	} {
		if err := w.put(ctx, file.path, "application/octet-stream", bytes.NewReader(file.content)); err != nil {
			return err
		}
	}
	return nil
}

// knownVersions gives the elements of the versions that are listed, if any are.
func (w *world) knownVersions(ctx context.Context, folder string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.registry+folder+"/maven-metadata.xml", nil)
	if err != nil {
		return "", err
	}
	req.Header = w.header()
	res, err := w.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusNotFound {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: %s", req.URL, res.Status)
	}
	_, versions, _ := strings.Cut(string(answer), "<versions>")
	versions, _, _ = strings.Cut(versions, "</versions>")
	return versions, nil
}

// pom is as large as a library's.
func pom(artifact, version string) []byte {
	var dependencies strings.Builder
	for i := range 8 {
		fmt.Fprintf(&dependencies, "<dependency><groupId>org.bench</groupId><artifactId>library-%d</artifactId><version>%d.%d</version></dependency>\n", i, i, i*7)
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>org.bench</groupId><artifactId>%s</artifactId><version>%s</version>
<name>Bench</name><description>An artifact that is deployed to find out how long that takes</description>
<licenses><license><name>MIT</name></license></licenses>
<dependencies>%s</dependencies></project>
`, artifact, version, dependencies.String())
}

// deployRate deploys new artifacts from several clients for some time, and gives
// the deployments a second.
func (w *world) deployRate(ctx context.Context, workers int, d time.Duration) (float64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	var running sync.WaitGroup
	start := time.Now()
	for worker := range workers {
		running.Go(func() {
			for i := 0; time.Since(start) < d && ctx.Err() == nil; i++ {
				if err := w.deploy(ctx, fmt.Sprintf("new-%d-%d-%d", workers, worker, i), "1.0.0", smallPayload); err != nil {
					cancel(err)
					return
				}
				done.Add(1)
			}
		})
	}
	running.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), context.Cause(ctx)
}
