package e2e

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMavenTree moves a whole repository as a script does: every file that is
// there, its checksums before it, in random order, eight at once. All of it is
// there afterwards with its bytes, the metadata lists what the folders hold, and a real build has its plugins from it (maven.md 20, number 25).
func TestMavenTree(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(debianRepository); err != nil {
		missing(t, "Debian's repository for Maven", "maven.sh")
	}
	s := serve(t, nil)
	w, err := mavenWorld(s, "tree")
	if err != nil {
		t.Fatal(err)
	}
	d := newDeployer(w)
	files, err := treeFiles(debianRepository)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	seed := uint64(start.UnixNano())
	t.Logf("random seed %d", seed)
	shuffled := slices.Clone(files)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) {
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	})
	eachFile(t, shuffled, func(name string) error { return d.migrate(name) })
	t.Logf("%d files in %s", len(files), time.Since(start).Round(time.Millisecond))
	if t.Failed() {
		return
	}
	eachFile(t, files, func(name string) error {
		content, err := os.ReadFile(filepath.Join(debianRepository, name))
		if err != nil {
			return err
		}
		got, err := d.get(context.Background(), d.repository+"/"+name+".sha256")
		if err == nil && string(got) != checksum("sha256", content) {
			err = fmt.Errorf("%s has other bytes", name)
		}
		return err
	})
	versions := treeVersions(files)
	eachFile(t, slices.Collect(maps.Keys(versions)), func(folder string) error {
		return d.migrateMetadata(folder, versions[folder])
	})
	checkTreeMetadata(t, d, versions)
	buildFromTree(t, d)
}

// treeFiles lists the files of a repository, also those that links lead to.
func treeFiles(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the other end of the link belongs to a package that is not installed
		}
		if err != nil || info.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		files = append(files, filepath.ToSlash(name))
		return err
	})
	return files, err
}

// eachFile works on files, eight at once.
func eachFile(t *testing.T, files []string, do func(name string) error) {
	t.Helper()
	var workers sync.WaitGroup
	next := make(chan string)
	for range 8 {
		workers.Go(func() {
			for name := range next {
				if err := do(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, name := range files {
		next <- name
	}
	close(next)
	workers.Wait()
}

// migrate uploads a file's checksums and then the file.
func (d mavenDeployer) migrate(name string) error {
	ctx := context.Background()
	content, err := os.ReadFile(filepath.Join(debianRepository, name))
	if err != nil {
		return err
	}
	url := d.repository + "/" + name
	for _, kind := range []string{"sha1", "md5"} {
		if err := d.putSum(ctx, url, kind, content); err != nil {
			return err
		}
	}
	return d.put(ctx, url, content)
}

// treeVersions are the versions of each package, by its path.
func treeVersions(files []string) map[string][]string {
	versions := map[string][]string{}
	for _, name := range files {
		parts := strings.Split(name, "/")
		folder, version := strings.Join(parts[:len(parts)-2], "/"), parts[len(parts)-2]
		if !slices.Contains(versions[folder], version) {
			versions[folder] = append(versions[folder], version)
		}
	}
	return versions
}

// migrateMetadata uploads the metadata that an old repository has of a package.
// It also names one that is no more.
func (d mavenDeployer) migrateMetadata(folder string, versions []string) error {
	slash := strings.LastIndex(folder, "/")
	m := mavenMetadata{
		XMLName: xml.Name{Local: "metadata"}, GroupID: strings.ReplaceAll(folder[:slash], "/", "."), ArtifactID: folder[slash+1:],
		Versioning: &versioning{Versions: append([]string{"0.0.0-lost"}, versions...)},
	}
	content, err := xml.Marshal(m)
	if err != nil {
		return err
	}
	return d.putWithSums(context.Background(), d.repository+"/"+folder+"/maven-metadata.xml", content)
}

// checkTreeMetadata compares the versions that are listed with the folders.
func checkTreeMetadata(t *testing.T, d mavenDeployer, versions map[string][]string) {
	t.Helper()
	eachFile(t, slices.Sorted(maps.Keys(versions)), func(folder string) error {
		m, err := d.metadata(context.Background(), d.repository+"/"+folder)
		if err != nil {
			return err
		}
		listed, want := slices.Sorted(slices.Values(m.versions())), slices.Sorted(slices.Values(versions[folder]))
		if !slices.Equal(listed, want) {
			return fmt.Errorf("%s lists %s, not %s", folder, listed, want)
		}
		return nil
	})
}

// buildFromTree builds a project with plugins that come from the registry alone.
func buildFromTree(t *testing.T, d mavenDeployer) {
	t.Helper()
	needJava(t, "mvn3.9")
	dir, home := t.TempDir(), t.TempDir()
	login := mavenLogin{url: d.repository, user: "x", token: d.token, form: "basic"}
	p := mavenProject{Group: "org.tree", Artifact: "app", Version: "1.0", Packaging: "jar", URL: d.repository, Sources: true}
	if err := errors.Join(login.write(home), p.write(dir, "built")); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(home, ".m2", "settings.xml")
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	// The registry is the mirror now.
	mirrored := strings.Replace(string(text), "<id>central</id><mirrorOf>*,!reg,!public,!own</mirrorOf><url>file://"+debianRepository+"</url>",
		"<id>reg</id><mirrorOf>*</mirrorOf><url>"+d.repository+"</url>", 1)
	if err := os.WriteFile(settings, []byte(mirrored), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := mavenIn("mvn3.9", home, dir, []string{"package"}); err != nil {
		t.Fatalf("mvn: %v\n%s", err, out)
	}
	if got, err := readJar(filepath.Join(dir, "target", "app-1.0.jar"), "content.txt"); err != nil || got != "built" {
		t.Errorf("the jar holds %q: %v", got, err)
	}
	status, _, err := d.do(context.Background(), http.MethodGet, d.folder("org.tree", "app", "maven-metadata.xml"), nil)
	if err != nil || status != http.StatusNotFound {
		t.Errorf("what was only built is there: %d %v", status, err)
	}
}
