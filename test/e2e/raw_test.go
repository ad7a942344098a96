package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// artifact is one version of a package, ready to be published without a client.
type artifact struct {
	name, version string
	tarball       []byte
}

// newArtifact packs a package with a payload of its own.
func newArtifact(name, version string, size int) (artifact, error) {
	var b bytes.Buffer
	err := writeTarball(&b, name, version, bytes.NewReader(payload(name, version, size)), int64(size))
	return artifact{name, version, b.Bytes()}, err
}

// writeTarball packs package.json and a payload. It is stored, not compressed:
// the payload is random.
func writeTarball(w io.Writer, name, version string, content io.Reader, size int64) error {
	gz, err := gzip.NewWriterLevel(w, gzip.NoCompression)
	if err != nil {
		return err
	}
	packed := tar.NewWriter(gz)
	manifest := fmt.Appendf(nil, `{"name":%q,"version":%q}`, name, version)
	for _, file := range []struct {
		name    string
		size    int64
		content io.Reader
	}{
		{"package/package.json", int64(len(manifest)), bytes.NewReader(manifest)},
		{"package/payload.bin", size, content},
	} {
		header := &tar.Header{Name: file.name, Mode: 0o644, Size: file.size, Typeflag: tar.TypeReg}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(packed, file.content); err != nil {
			return err
		}
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return gz.Close()
}

// integrity is the checksum that npm's lockfiles hold.
func integrity(tarball []byte) string {
	sum := sha512.Sum512(tarball)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// document is what npm sends to publish the version under the tags.
func (a artifact) document(tags ...string) ([]byte, error) {
	distTags := map[string]string{}
	for _, tag := range tags {
		distTags[tag] = a.version
	}
	return json.Marshal(map[string]any{
		"_id": a.name, "name": a.name, "dist-tags": distTags,
		"versions": map[string]any{a.version: map[string]any{
			"_id": a.name + "@" + a.version, "name": a.name, "version": a.version,
			"dist": map[string]any{"integrity": integrity(a.tarball)},
		}},
		"_attachments": map[string]any{a.name + "-" + a.version + ".tgz": map[string]any{
			"content_type": "application/octet-stream",
			"length":       len(a.tarball),
			"data":         base64.StdEncoding.EncodeToString(a.tarball),
		}},
	})
}

// raw speaks to a registry without a client.
type raw struct {
	http     *http.Client
	registry string // URL with its final slash
	token    string
}

func newRaw(registry, token string) raw {
	return raw{&http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}, registry, token}
}

// at gives the same caller at another server: urls begin with its base.
func (r raw) at(from, to *server) raw {
	r.registry = to.url() + strings.TrimPrefix(r.registry, from.url())
	return r
}

// do sends a request and reads the whole answer.
func (r raw) do(ctx context.Context, method, url string, body io.Reader) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := r.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// publish sends the version; only an answer of 200 is a success.
func (r raw) publish(ctx context.Context, a artifact, tags ...string) error {
	body, err := a.document(tags...)
	if err != nil {
		return err
	}
	status, answer, err := r.do(ctx, http.MethodPut, r.registry+escapeName(a.name), bytes.NewReader(body))
	if err == nil && status != http.StatusOK {
		err = &statusError{status, string(answer)}
	}
	if err != nil {
		return fmt.Errorf("publish %s@%s: %w", a.name, a.version, err)
	}
	return nil
}

// statusError is an answer that nobody wanted.
type statusError struct {
	status int
	answer string
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.answer) }

// packument is what these tests read of a package's document.
type packument struct {
	DistTags map[string]string `json:"dist-tags"`
	Versions map[string]struct {
		Dist struct{ Integrity, Tarball string }
	}
}

// packument gives a package's document; an absent package has an empty one.
func (r raw) packument(ctx context.Context, name string) (packument, error) {
	var p packument
	status, answer, err := r.do(ctx, http.MethodGet, r.registry+escapeName(name), nil)
	switch {
	case err != nil:
		return p, err
	case status == http.StatusNotFound:
		return p, nil
	case status != http.StatusOK:
		return p, &statusError{status, string(answer)}
	}
	return p, json.Unmarshal(answer, &p)
}

// tarball downloads a version and compares it with its integrity.
func (p packument) tarball(ctx context.Context, r raw, version string) ([]byte, error) {
	listed, ok := p.Versions[version]
	if !ok {
		return nil, fmt.Errorf("version %s is not listed", version)
	}
	status, content, err := r.do(ctx, http.MethodGet, listed.Dist.Tarball, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, &statusError{status, string(content)}
	}
	if got := integrity(content); got != listed.Dist.Integrity {
		return nil, fmt.Errorf("%s has integrity %s, not %s", listed.Dist.Tarball, got, listed.Dist.Integrity)
	}
	return content, nil
}

func escapeName(name string) string { return strings.ReplaceAll(name, "/", "%2f") }

// eventually asks until the answer is nil, and fails the test when that takes
// longer than the bound. It gives the time that it took.
func eventually(t testing.TB, bound time.Duration, ask func(context.Context) error) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	start := time.Now()
	for {
		err := ask(ctx)
		if err == nil {
			return time.Since(start)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %v", bound, err)
		case <-tick.C:
		}
	}
}
