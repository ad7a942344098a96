package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// killNPM publishes npm packages under the tag latest.
type killNPM struct{ raw }

func (k killNPM) name(worker int) string { return fmt.Sprintf("@kill/lib%d", worker) }

func (k killNPM) files() int { return 1 }

func (k killNPM) pack(name, version string, size int) (packed, error) {
	art, err := newArtifact(name, version, size)
	if err != nil {
		return packed{}, err
	}
	body, err := art.document("latest")
	return packed{name, version, integrity(art.tarball), body}, err
}

func (k killNPM) publish(ctx context.Context, p packed) error {
	status, answer, err := k.do(ctx, http.MethodPut, k.registry+escapeName(p.name), bytes.NewReader(p.body))
	if err == nil && status != http.StatusOK {
		err = &statusError{status, string(answer)}
	}
	if err != nil {
		return fmt.Errorf("publish %s@%s: %w", p.name, p.version, err)
	}
	return nil
}

func (k killNPM) list(ctx context.Context, name string) (published, error) {
	p, err := k.packument(ctx, name)
	there := published{checksums: map[string]string{}, newest: p.DistTags["latest"]}
	for version, described := range p.Versions {
		there.checksums[version] = described.Dist.Integrity
	}
	there.fetch = func(ctx context.Context, version string) (string, error) {
		content, err := p.tarball(ctx, k.raw, version)
		return integrity(content), err
	}
	return there, err
}

func (k killNPM) forget() { k.http.CloseIdleConnections() }

func (k killNPM) install(t *testing.T, newest map[string]string) {
	c, ok := findClient("npm12")
	if _, installed := findProgram(c.name); !ok || !installed {
		missing(t, "npm12", "npm.sh")
	}
	manifest, err := json.Marshal(map[string]any{"name": "app", "private": true, "dependencies": newest})
	if err != nil {
		t.Fatal(err)
	}
	app, home := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(app, "package.json"), manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (login{registry: k.registry, token: k.token, form: "token"}).write(home, c); err != nil {
		t.Fatal(err)
	}
	if out, err := c.run(home, app, []string{"install"}); err != nil {
		t.Errorf("npm install: %v\n%s", err, out)
	}
	for name, version := range newest {
		got, err := os.ReadFile(filepath.Join(app, "node_modules", filepath.FromSlash(name), "payload.bin"))
		if err = errors.Join(err, samePayload(name, version, got)); err != nil {
			t.Error(err)
		}
	}
}

// samePayload tells whether these are the bytes that were packed.
func samePayload(name, version string, got []byte) error {
	if !bytes.Equal(got, payload(name, version, len(got))) {
		return fmt.Errorf("%s %s was installed with other bytes", name, version)
	}
	return nil
}
