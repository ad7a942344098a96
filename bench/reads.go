package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// read is a comparison: the same bytes from the registry and from nginx.
type read struct {
	work   string
	path   string // below the project's registry
	header []string
	folder string  // of nginx: how the file is to be described
	again  bool    // the client has the bytes: 304
	bytes  bool    // compare bytes a second instead of requests
	varied bool    // no two requests are the same, so no answer is given again
	target float64 // none when 0
}

func (b *bench) reads() []read {
	const abbreviated = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
	of := fmt.Sprintf("packument of %d versions", b.versions)
	gzip := []string{"Accept-Encoding", "gzip"}
	return []read{
		{work: "packument of 50 versions, full, gzip", path: escapeName(usual), header: gzip, folder: "gzip", target: 0.6},
		{work: "packument of 50 versions, abbreviated, gzip", path: escapeName(usual), header: append(gzip, "Accept", abbreviated), folder: "gzip", target: 0.6},
		{work: "packument of 50 versions, 304", path: escapeName(usual), header: gzip, folder: "gzip", again: true, target: 0.6},
		{work: "packument of 50 versions, no two requests the same", path: escapeName(usual), header: gzip, folder: "gzip", varied: true},
		{work: of + ", full, gzip", path: escapeName(large), header: gzip, folder: "gzip", target: 0.6},
		{work: of + ", full, not compressed", path: escapeName(large), folder: "json", target: 0.6},
		{work: "tarball of 100 KB", path: fileName + "1.0.0.tgz", folder: "file", target: 0.6},
		{work: fmt.Sprintf("tarball of %d MB", b.download>>20), path: fileName + "2.0.0.tgz", folder: "file", bytes: true, target: 0.9},
	}
}

func (b *bench) measureReads(ctx context.Context, w *world) error {
	return b.compareAll(ctx, w, b.reads())
}

// compareAll compares reads, of a server that was just started.
func (b *bench) compareAll(ctx context.Context, w *world, reads []read) error {
	if err := w.restart(ctx); err != nil {
		return err
	}
	n, err := startNginx(ctx, b)
	if err != nil {
		return err
	}
	for i, r := range reads {
		progress("  %s", r.work)
		if err := b.compare(ctx, w, n, r, fmt.Sprintf("%s/%d", r.folder, i)); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", r.work, err), n.stop())
		}
	}
	return n.stop()
}

// compare loads both servers in turn, and lets the medians speak.
func (b *bench) compare(ctx context.Context, w *world, n *nginx, r read, file string) error {
	ours := target{w.registry + r.path, w.header(r.header...), r.varied}
	theirs := target{n.url(file), ours.header.Clone(), r.varied}
	size, err := prepare(ctx, n, file, &ours, &theirs, r.again)
	if err != nil {
		return err
	}
	var rates [2][]float64
	for range b.rounds {
		for i, t := range []target{ours, theirs} {
			l, err := b.load(ctx, t, b.round)
			if err != nil {
				return err
			}
			if r.bytes {
				rates[i] = append(rates[i], l.bytesPerSecond()/1e6)
			} else {
				rates[i] = append(rates[i], l.perSecond())
			}
		}
	}
	unit := "/s"
	if r.bytes {
		unit = " MB/s"
	}
	ratio := median(rates[0]) / median(rates[1])
	line := row{
		work: fmt.Sprintf("%s (%s)", r.work, kilobytes(size)),
		ours: fmt.Sprintf("%.0f%s", median(rates[0]), unit), nginx: fmt.Sprintf("%.0f%s", median(rates[1]), unit), ratio: ratio,
	}
	if r.target > 0 {
		line.target, line.met = fmt.Sprintf("≥ %.1f", r.target), verdict(ratio >= r.target)
	}
	b.table.add(line)
	return b.profileRead(ctx, w, r, ours)
}

// prepare gives nginx the bytes that the registry sends, and makes sure that it
// sends the same ones. With again both are asked with their own ETag.
func prepare(ctx context.Context, n *nginx, file string, ours, theirs *target, again bool) (int, error) {
	content, etag, err := fetch(ctx, *ours)
	if err != nil {
		return 0, err
	}
	if err := n.put(file, content); err != nil {
		return 0, err
	}
	copied, copiedETag, err := fetch(ctx, *theirs)
	if err != nil {
		return 0, err
	}
	if sha256.Sum256(content) != sha256.Sum256(copied) {
		return 0, errors.New("nginx sends other bytes than the registry")
	}
	if !again {
		return len(content), nil
	}
	for t, tag := range map[*target]string{ours: etag, theirs: copiedETag} {
		t.header.Set("If-None-Match", tag)
		if _, _, err := fetch(ctx, *t); err == nil || !strings.Contains(err.Error(), "304") {
			return 0, fmt.Errorf("%s: not answered by 304: %w", t.url, err)
		}
	}
	return 0, nil
}

// fetch reads an answer as it comes over the wire.
func fetch(ctx context.Context, t target) (body []byte, etag string, err error) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	res, err := open(ctx, client, t.url, t.header)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return nil, "", err
	}
	if asked := t.header.Get("Accept-Encoding"); res.Header.Get("Content-Encoding") != asked {
		return nil, "", fmt.Errorf("%s: coding %q, not %q", t.url, res.Header.Get("Content-Encoding"), asked)
	}
	return b.Bytes(), res.Header.Get("Etag"), nil
}

// profileRead writes a profile of the server under this load, if one is wanted.
func (b *bench) profileRead(ctx context.Context, w *world, r read, ours target) error {
	if b.profiles == "" {
		return nil
	}
	d := max(2*time.Second, b.round)
	profiled := make(chan error, 1)
	go func() {
		name := strings.Map(func(c rune) rune {
			if c == ' ' || c == ',' {
				return '-'
			}
			return c
		}, r.work)
		profiled <- w.profile(ctx, filepath.Join(b.profiles, name+".pprof"), d)
	}()
	_, err := b.load(ctx, ours, d+d/4)
	return errors.Join(err, <-profiled)
}
