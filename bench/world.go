package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Packages that fill puts into the registry.
const (
	usual    = "@bench/usual" // usualVersions versions
	large    = "@bench/large" // settings.versions versions
	files    = "@bench/files" // a small and a large tarball
	fileName = "@bench/files/-/files-"

	usualVersions = 50
	smallPayload  = 600        // bytes of a tarball's file, beside package.json
	filePayload   = 100 * 1000 // of the 100 KB tarball
)

// world is a running server with a project, a deploy token and packages of one
// format.
type world struct {
	*server
	packages   string      // URL of the project, up to and with /packages/
	user       string      // of the deploy token
	token      string      // its secret
	registry   string      // URL of the project's registry, with its final slash
	credential http.Header // as the format's clients show it
	prefix     string      // of package names
	pack       func(p packer, name, version string) (publish, error)
	client     *http.Client
	packer     packer
	next       int // numbers names and versions that were never used
}

// newWorld starts the server and makes what clients of npm need.
func newWorld(ctx context.Context, s *server) (*world, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	if _, err := s.create(ctx, "group", "create", "bench"); err != nil {
		return nil, err
	}
	project, err := s.create(ctx, "project", "create", "bench/lib")
	if err != nil {
		return nil, err
	}
	token, err := s.create(ctx, "token", "create", "--project", "bench/lib", "--name", "bench",
		"--scope", "read_package_registry", "--scope", "write_package_registry")
	if err != nil {
		return nil, err
	}
	w := &world{
		server: s, user: token.Username, token: token.Token, packer: newPacker(), prefix: "@bench/", pack: newPublish,
		packages:   fmt.Sprintf("http://%s/api/v4/projects/%d/packages/", s.addr, project.ID),
		credential: http.Header{"Authorization": {"Bearer " + token.Token}},
		client:     &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}},
	}
	w.registry = w.packages + "npm/"
	return w, nil
}

// fill publishes, over HTTP, what the sections about npm read.
func (b *bench) fill(ctx context.Context, w *world) error {
	progress("publish %d versions into %s", b.versions, w.dir)
	if err := w.publishVersions(ctx, usual, usualVersions); err != nil {
		return err
	}
	if err := w.publishVersions(ctx, large, b.versions); err != nil {
		return err
	}
	for version, size := range map[string]int64{"1.0.0": filePayload, "2.0.0": b.download} {
		if err := w.publishStream(ctx, files, version, size); err != nil {
			return err
		}
	}
	w.next = b.versions
	return nil
}

// publishVersions publishes the first n versions of a package, 8 at once.
func (w *world) publishVersions(ctx context.Context, name string, n int) error {
	bodies := make(chan publish, 64)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		defer close(bodies)
		packer := newPacker()
		for i := range n {
			p, err := w.pack(packer, name, versionAt(i))
			if err != nil {
				cancel(err)
				return
			}
			select {
			case bodies <- p:
			case <-ctx.Done():
				return
			}
		}
	}()
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for p := range bodies {
				if err := w.put(ctx, p.path, p.contentType, bytes.NewReader(p.body)); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// publishStream publishes a version with a tarball of any size.
func (w *world) publishStream(ctx context.Context, name, version string, size int64) error {
	body, err := streamDocument(name, version, size)
	if err != nil {
		return err
	}
	defer body.Close()
	return w.put(ctx, escapeName(name), jsonType, body)
}

// publish is a version that is ready to be sent.
type publish struct {
	path        string // below the registry
	contentType string
	body        []byte
}

const jsonType = "application/json"

func newPublish(p packer, name, version string) (publish, error) {
	body, err := p.document(name, version, smallPayload)
	return publish{escapeName(name), jsonType, body}, err
}

// fresh makes a publish of a package that does not exist yet, or of a version
// that the named one does not have.
func (w *world) fresh(name string) (publish, error) {
	w.next++
	n := w.next
	if name == "" {
		return w.pack(w.packer, fmt.Sprintf("%snew-%d", w.prefix, n), "1.0.0")
	}
	return w.pack(w.packer, name, versionAt(n))
}

// put sends a publish; only 200 and 201 are a success.
func (w *world) put(ctx context.Context, path, contentType string, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, w.registry+path, body)
	if err != nil {
		return err
	}
	req.Header = w.header("Content-Type", contentType)
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		err = fmt.Errorf("publish to %s: %s\n%s", req.URL.Path, res.Status, answer)
	}
	return err
}

// restart gives a server that remembers nothing, and clients that do not hold on
// to connections of the old one.
func (w *world) restart(ctx context.Context) error {
	w.client.CloseIdleConnections()
	return w.server.restart(ctx)
}

// header is the credential and what else a client sends.
func (w *world) header(more ...string) http.Header {
	h := w.credential.Clone()
	for i := 0; i < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// timed tells how long a function took.
func timed(do func() error) (time.Duration, error) {
	start := time.Now()
	err := do()
	return time.Since(start), err
}
