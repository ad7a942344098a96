package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestMavenRaces deploys from many sides at once, each side reading the metadata
// and writing it back as clients do: nothing is lost (maven.md 9.1, 20 number 8).
func TestMavenRaces(t *testing.T) {
	t.Parallel()
	w, err := mavenWorld(sharedServer(t), "races")
	if err != nil {
		t.Fatal(err)
	}
	d := newDeployer(w)
	for _, race := range []struct {
		name  string
		count int
		run   func(*testing.T, mavenDeployer, int)
	}{
		{"releases", 200, raceReleases},
		{"snapshots", 200, raceSnapshots},
		{"plugins", 30, racePlugins},
	} {
		t.Run(race.name, func(t *testing.T) {
			t.Parallel()
			race.run(t, d, race.count)
		})
	}
}

// atOnce runs n functions, at most 50 at a time.
func atOnce(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var running sync.WaitGroup
	slots := make(chan struct{}, 50)
	for i := range n {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := do(i); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
}

func raceReleases(t *testing.T, d mavenDeployer, n int) {
	ctx := context.Background()
	const group, artifact = "org.races", "lib"
	version := func(i int) string { return fmt.Sprintf("1.%d", i) }
	content := func(i int) []byte { return payload(artifact, version(i), 500) }
	atOnce(t, n, func(i int) error {
		return d.release(ctx, group, artifact, version(i), library(group, artifact, version(i), content(i)))
	})
	m, err := d.metadata(ctx, d.folder(group, artifact))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range n {
		want = append(want, version(i))
	}
	if !slices.Equal(m.versions(), want) {
		t.Errorf("the versions are %v, not %v", m.versions(), want)
	}
	if last := version(n - 1); m.Versioning == nil || m.Versioning.Release != last || m.Versioning.Latest != last {
		t.Errorf("the newest is not %s: %+v", last, m.Versioning)
	}
	atOnce(t, n, func(i int) error {
		url := d.folder(group, artifact, version(i), artifact+"-"+version(i)+".jar")
		got, err := d.get(ctx, url)
		if err == nil && checksum("sha1", got) != checksum("sha1", content(i)) {
			err = fmt.Errorf("%s has other bytes", url)
		}
		return err
	})
}

func raceSnapshots(t *testing.T, d mavenDeployer, n int) {
	ctx := context.Background()
	const group, artifact, base = "org.races", "snap", "1.0-SNAPSHOT"
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	builds := make([]string, n)
	atOnce(t, n, func(i int) error {
		build, err := d.snapshot(ctx, group, artifact, base, start.Add(time.Duration(i)*time.Second),
			library(group, artifact, base, payload(artifact, fmt.Sprint(i), 500)))
		builds[i] = build
		return err
	})
	if t.Failed() {
		return
	}
	m, err := d.metadata(ctx, d.folder(group, artifact, base))
	if err != nil {
		t.Fatal(err)
	}
	newest := start.Add(time.Duration(n-1) * time.Second).Format("20060102.150405")
	if m.Versioning == nil || m.Versioning.Snapshot == nil || m.Versioning.Snapshot.Timestamp != newest {
		t.Fatalf("the newest build is not of %s: %+v", newest, m.Versioning)
	}
	for _, entry := range m.Versioning.SnapshotVersions {
		if entry.Value != builds[n-1] {
			t.Errorf("%s is of %s, not of %s", entry.Extension, entry.Value, builds[n-1])
		}
	}
	// All are younger than what retention may remove.
	atOnce(t, n, func(i int) error {
		_, err := d.get(ctx, d.folder(group, artifact, base, artifact+"-"+builds[i]+".jar"))
		return err
	})
}

func racePlugins(t *testing.T, d mavenDeployer, n int) {
	ctx := context.Background()
	const group = "org.races.plugins"
	atOnce(t, n, func(i int) error { return d.plugin(ctx, group, fmt.Sprintf("plug%d", i)) })
	checkPlugins(t, d, group, n)
}

// checkPlugins looks for the prefixes plug0, plug1 and so on in a group's list.
func checkPlugins(t *testing.T, d mavenDeployer, group string, n int) {
	t.Helper()
	m, err := d.metadata(context.Background(), d.folder(group))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Plugins) != n {
		t.Errorf("%d plugins are listed, not %d", len(m.Plugins), n)
	}
	for i := range n {
		prefix := fmt.Sprintf("plug%d", i)
		if !slices.ContainsFunc(m.Plugins, func(p mavenPlugin) bool {
			return p.Prefix == prefix && p.ArtifactID == prefix+"-maven-plugin"
		}) {
			t.Errorf("%s is not listed", prefix)
		}
	}
}

// TestMavenRacesForReal is the same with real Mavens, two at a time. It takes a
// few deployments of each kind; REGISTRY_E2E_MAVEN_RACES=1 takes the 50
// releases, 20 snapshots and 30 plugins of maven.md 20.
func TestMavenRacesForReal(t *testing.T) {
	t.Parallel()
	needJava(t, "mvn3.9")
	releases, snapshots, plugins := 3, 3, 2
	if set := os.Getenv("REGISTRY_E2E_MAVEN_RACES"); set != "" {
		if all, err := strconv.ParseBool(set); err != nil {
			t.Fatalf("REGISTRY_E2E_MAVEN_RACES: %v", err)
		} else if all {
			releases, snapshots, plugins = 50, 20, 30
		}
	}
	w, err := mavenWorld(sharedServer(t), "realraces")
	if err != nil {
		t.Fatal(err)
	}
	d := newDeployer(w)
	const group = "org.races"
	var deployments []func(dir string) error
	for i := range releases {
		deployments = append(deployments, func(dir string) error {
			return d.deployFile(dir, group, "lib", fmt.Sprintf("1.%d", i), "jar", payload("lib", fmt.Sprint(i), 500))
		})
	}
	for i := range snapshots {
		deployments = append(deployments, func(dir string) error {
			// Two builds of one second have one name, so each has a classifier.
			return d.deployFile(dir, group, "snap", "1.0-SNAPSHOT", "jar", payload("snap", fmt.Sprint(i), 500),
				fmt.Sprintf("-Dclassifier=c%d", i))
		})
	}
	for i := range plugins {
		prefix := fmt.Sprintf("plug%d", i)
		deployments = append(deployments, func(dir string) error {
			jar, err := pluginJar(group, prefix+"-maven-plugin", "1.0", prefix)
			if err != nil {
				return err
			}
			return d.deployFile(dir, group, prefix+"-maven-plugin", "1.0", "maven-plugin", jar)
		})
	}
	var running sync.WaitGroup
	next := make(chan func(string) error)
	for range 2 {
		running.Go(func() {
			for deploy := range next {
				if err := deploy(t.TempDir()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, deploy := range deployments {
		next <- deploy
	}
	close(next)
	running.Wait()
	d.checkRealRaces(t, group, releases, snapshots)
	checkPlugins(t, d, group, plugins)
}

func (d mavenDeployer) checkRealRaces(t *testing.T, group string, releases, snapshots int) {
	t.Helper()
	ctx := context.Background()
	m, err := d.metadata(ctx, d.folder(group, "lib"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.versions()) != releases {
		t.Errorf("%d releases are listed, not %d", len(m.versions()), releases)
	}
	m, err = d.metadata(ctx, d.folder(group, "snap", "1.0-SNAPSHOT"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	if m.Versioning != nil {
		for _, entry := range m.Versioning.SnapshotVersions {
			listed[entry.Classifier] = true
			if entry.Classifier != "" {
				entry.Value += "-" + entry.Classifier
			}
			if err := d.checkSums(d.folder(group, "snap", "1.0-SNAPSHOT", "snap-"+entry.Value+"."+entry.Extension)); err != nil {
				t.Error(err)
			}
		}
	}
	for i := range snapshots {
		if classifier := fmt.Sprintf("c%d", i); !listed[classifier] {
			t.Errorf("%s is not listed", classifier)
		}
	}
}

// deployFile has Maven deploy one file, without a project.
func (d mavenDeployer) deployFile(dir, group, artifact, version, packaging string, content []byte, more ...string) error {
	return d.deployFileBy("mvn3.9", dir, group, artifact, version, packaging, content, more...)
}

func (d mavenDeployer) deployFileBy(maven, dir, group, artifact, version, packaging string, content []byte, more ...string) error {
	file, home := filepath.Join(dir, "file.jar"), filepath.Join(dir, "home")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return err
	}
	if err := (mavenLogin{url: d.repository, user: "x", token: d.token, form: "basic"}).write(home); err != nil {
		return err
	}
	out, err := runMaven(maven, home, dir, append([]string{
		"org.apache.maven.plugins:maven-deploy-plugin:3.0.0:deploy-file", "-DrepositoryId=reg", "-Durl=" + d.repository,
		"-DgroupId=" + group, "-DartifactId=" + artifact, "-Dversion=" + version, "-Dpackaging=" + packaging, "-Dfile=" + file,
	}, more...))
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", maven, err, out)
	}
	return nil
}
