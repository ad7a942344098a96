package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// killGroup is the groupId of what is deployed meanwhile.
const killGroup = "org.kill"

// killMaven deploys releases file by file. A deployment that was cut short is
// there in part, which is no version yet: it is repeated. But each file that was
// answered must be there from then on.
type killMaven struct {
	mavenDeployer
	mu     sync.Mutex
	stored map[string]map[string]string // of a package: file's address to SHA-256
}

func (k *killMaven) name(worker int) string { return fmt.Sprintf("lib%d", worker) }

func (k *killMaven) files() int { return 2 }

func (k *killMaven) pack(name, version string, size int) (packed, error) {
	jar := payload(name, version, size)
	return packed{name, version, checksum("sha256", jar), jar}, nil
}

func (k *killMaven) publish(ctx context.Context, p packed) error {
	prefix := k.folder(killGroup, p.name, p.version, p.name+"-"+p.version)
	for _, f := range library(killGroup, p.name, p.version, p.body) {
		if err := k.put(ctx, prefix+f.ending, f.content); err != nil {
			return err
		}
		k.remember(p.name, prefix+f.ending, checksum("sha256", f.content))
		if err := k.putSum(ctx, prefix+f.ending, "sha1", f.content); err != nil {
			return err
		}
	}
	return k.merge(ctx, k.folder(killGroup, p.name), func(m *mavenMetadata) {
		m.addVersion(killGroup, p.name, p.version)
		m.Versioning.Release = p.version
	})
}

func (k *killMaven) remember(name, url, digest string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stored[name] == nil {
		k.stored[name] = map[string]string{}
	}
	k.stored[name][url] = digest
}

// list takes a version for one when its jar and its POM are there.
func (k *killMaven) list(ctx context.Context, name string) (published, error) {
	if err := k.checkStored(ctx, name); err != nil {
		return published{}, err
	}
	m, err := k.metadata(ctx, k.folder(killGroup, name))
	if err != nil {
		return published{}, err
	}
	there := published{checksums: map[string]string{}}
	if m.Versioning != nil && m.Versioning.Release != m.Versioning.Versions[len(m.Versioning.Versions)-1] {
		return there, fmt.Errorf("%s: %s is the release, and the versions are %s", name, m.Versioning.Release, m.Versioning.Versions)
	}
	for _, version := range m.versions() {
		complete := true
		for _, ending := range []string{".jar", ".pom"} {
			status, _, err := k.do(ctx, http.MethodHead, k.folder(killGroup, name, version, name+"-"+version+ending), nil)
			if err != nil {
				return published{}, err
			}
			complete = complete && status == http.StatusOK
		}
		if complete {
			there.checksums[version], there.newest = "", version
		}
	}
	there.fetch = func(ctx context.Context, version string) (string, error) {
		url := k.folder(killGroup, name, version, name+"-"+version+".jar")
		content, err := k.get(ctx, url)
		return checksum("sha256", content), errors.Join(err, k.checkSums(url))
	}
	return there, nil
}

// checkStored looks at each file that was answered since the last time.
func (k *killMaven) checkStored(ctx context.Context, name string) error {
	k.mu.Lock()
	stored := maps.Clone(k.stored[name])
	clear(k.stored[name])
	k.mu.Unlock()
	for _, url := range slices.Sorted(maps.Keys(stored)) {
		content, err := k.get(ctx, url)
		if err != nil {
			return err
		}
		if got := checksum("sha256", content); got != stored[url] {
			return fmt.Errorf("%s has other bytes than those that were answered", url)
		}
	}
	return nil
}

func (k *killMaven) forget() { k.http.CloseIdleConnections() }

// install has Maven resolve the newest of each.
func (k *killMaven) install(t *testing.T, newest map[string]string) {
	needJava(t, "mvn3.9")
	app, home := t.TempDir(), t.TempDir()
	p := mavenProject{Group: "org.app", Artifact: "app", Version: "1", Packaging: "jar", URL: k.repository}
	for name, version := range newest {
		p.Dependencies = append(p.Dependencies, []string{killGroup, name, version})
	}
	err := errors.Join(p.write(app, ""), mavenLogin{url: k.repository, user: "x", token: k.token, form: "basic"}.write(home))
	if err != nil {
		t.Fatal(err)
	}
	argv := []string{"dependency:copy-dependencies", "-DoutputDirectory=" + filepath.Join(app, "out")}
	if out, err := runMaven("mvn3.9", home, app, argv); err != nil {
		t.Errorf("mvn: %v\n%s", err, out)
	}
	for name, version := range newest {
		got, err := os.ReadFile(filepath.Join(app, "out", name+"-"+version+".jar"))
		if err = errors.Join(err, samePayload(name, version, got)); err != nil {
			t.Error(err)
		}
	}
}
