package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// killNuGet pushes NuGet packages.
type killNuGet struct{ nugetRaw }

func (k killNuGet) name(worker int) string { return fmt.Sprintf("Kill.Lib%d", worker) }

func (k killNuGet) files() int { return 1 }

func (k killNuGet) pack(name, version string, size int) (packed, error) {
	content, err := nupkg{id: name, version: version, size: size}.build()
	if err != nil {
		return packed{}, err
	}
	body, err := pushBody(content)
	return packed{name, version, packageHash(content), body}, err
}

func (k killNuGet) publish(ctx context.Context, p packed) error {
	if err := k.send(ctx, "/", p.body); err != nil {
		return fmt.Errorf("push %s %s: %w", p.name, p.version, err)
	}
	return nil
}

// list reads the flat container for the versions, and the search for the
// newest: all were written at once.
func (k killNuGet) list(ctx context.Context, name string) (published, error) {
	there := published{checksums: map[string]string{}}
	versions, err := k.versions(ctx, name)
	if err != nil {
		return there, err
	}
	for _, version := range versions {
		there.checksums[version] = ""
	}
	var found struct{ Data []struct{ Version string } }
	if err := k.json(ctx, "/query?q=packageid:"+name, &found); err != nil {
		return there, err
	}
	if len(found.Data) > 0 {
		there.newest = found.Data[0].Version
	}
	there.fetch = func(ctx context.Context, version string) (string, error) {
		content, err := k.download(ctx, name, version)
		return packageHash(content), err
	}
	return there, nil
}

func (k killNuGet) forget() { k.http.CloseIdleConnections() }

func (k killNuGet) install(t *testing.T, newest map[string]string) {
	c, ok := findNuGetClient("dotnet")
	if _, installed := findProgram(c.name); !ok || !installed {
		missing(t, "dotnet", "nuget.sh")
	}
	var packages [][2]string
	for id, version := range newest {
		packages = append(packages, [2]string{id, version})
	}
	app, home := t.TempDir(), t.TempDir()
	file, content := nugetProject(c, packages)
	if err := writeFile(filepath.Join(app, file), content); err != nil {
		t.Fatal(err)
	}
	if err := (nugetLogin{source: k.base, user: k.user, password: k.key}).write(home, c); err != nil {
		t.Fatal(err)
	}
	if out, err := c.run(home, app, []string{"restore"}); err != nil {
		t.Errorf("dotnet restore: %v\n%s", err, out)
	}
	for id, version := range newest {
		got, err := os.ReadFile(filepath.Join(app, restoredPath(c, id, version), "payload.bin"))
		if err = errors.Join(err, samePayload(id, version, got)); err != nil {
			t.Error(err)
		}
	}
}

// refusedWith tells whether the error is an answer with this status.
func refusedWith(err error, status int) bool {
	var refused *statusError
	return errors.As(err, &refused) && refused.status == status
}
