package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// mavenDeployer deploys as Maven does, without one: files with two checksums
// each, then the metadata that it read, with its own part added.
type mavenDeployer struct {
	raw
	repository string
}

func newDeployer(w world) mavenDeployer {
	return mavenDeployer{newRaw("", w.vars["RW"]), w.vars["PROJECT_API"] + "/packages/maven"}
}

// folder is the address of a groupId, and of what is below it.
func (d mavenDeployer) folder(group string, below ...string) string {
	return d.repository + "/" + strings.Join(append([]string{strings.ReplaceAll(group, ".", "/")}, below...), "/")
}

// mavenFile is a file of a version: what follows the version in its name.
type mavenFile struct {
	ending  string // such as -sources.jar
	content []byte
}

// library is a jar with its POM.
func library(group, artifact, version string, content []byte) []mavenFile {
	return []mavenFile{{".pom", pomText(group, artifact, version, "jar")}, {".jar", content}}
}

func pomText(group, artifact, version, packaging string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><packaging>%s</packaging></project>
`, group, artifact, version, packaging)
}

// putFiles uploads files with their checksums.
func (d mavenDeployer) putFiles(ctx context.Context, prefix string, files []mavenFile) error {
	for _, f := range files {
		if err := d.putWithSums(ctx, prefix+f.ending, f.content); err != nil {
			return err
		}
	}
	return nil
}

func (d mavenDeployer) putWithSums(ctx context.Context, url string, content []byte) error {
	if err := d.put(ctx, url, content); err != nil {
		return err
	}
	for _, kind := range []string{"sha1", "md5"} {
		if err := d.putSum(ctx, url, kind, content); err != nil {
			return err
		}
	}
	return nil
}

// merge reads a folder's metadata, lets the caller add to it, and writes it back.
func (d mavenDeployer) merge(ctx context.Context, folder string, add func(*mavenMetadata)) error {
	m, err := d.metadata(ctx, folder)
	if err != nil {
		return err
	}
	add(&m)
	m.XMLName = xml.Name{Local: "metadata"}
	content, err := xml.Marshal(m)
	if err != nil {
		return err
	}
	return d.putWithSums(ctx, folder+"/maven-metadata.xml", content)
}

// release deploys a version that does not change any more.
func (d mavenDeployer) release(ctx context.Context, group, artifact, version string, files []mavenFile) error {
	if err := d.putFiles(ctx, d.folder(group, artifact, version, artifact+"-"+version), files); err != nil {
		return err
	}
	return d.merge(ctx, d.folder(group, artifact), func(m *mavenMetadata) {
		m.addVersion(group, artifact, version)
		m.Versioning.Release = version
	})
}

func (m *mavenMetadata) addVersion(group, artifact, version string) {
	m.GroupID, m.ArtifactID = group, artifact
	if m.Versioning == nil {
		m.Versioning = &versioning{}
	}
	m.Versioning.Versions = append(m.Versioning.Versions, version)
	m.Versioning.LastUpdated = time.Now().UTC().Format("20060102150405")
}

// snapshot deploys a build of base, which ends in -SNAPSHOT, and gives the
// version that its files are named with.
func (d mavenDeployer) snapshot(ctx context.Context, group, artifact, base string, at time.Time, files []mavenFile) (string, error) {
	folder := d.folder(group, artifact, base)
	m, err := d.metadata(ctx, folder)
	if err != nil {
		return "", err
	}
	number := 1
	if m.Versioning != nil && m.Versioning.Snapshot != nil {
		number = m.Versioning.Snapshot.BuildNumber + 1
	}
	stamp := at.UTC().Format("20060102.150405")
	build := fmt.Sprintf("%s-%s-%d", strings.TrimSuffix(base, "-SNAPSHOT"), stamp, number)
	if err := d.putFiles(ctx, folder+"/"+artifact+"-"+build, files); err != nil {
		return "", err
	}
	updated := strings.ReplaceAll(stamp, ".", "")
	m = mavenMetadata{XMLName: xml.Name{Local: "metadata"}, GroupID: group, ArtifactID: artifact, Version: base, Versioning: &versioning{
		Snapshot: &snapshotBuild{stamp, number}, LastUpdated: updated,
	}}
	for _, f := range files {
		m.Versioning.SnapshotVersions = append(m.Versioning.SnapshotVersions,
			snapshotEntry{Extension: strings.TrimPrefix(f.ending, "."), Value: build, Updated: updated})
	}
	content, err := xml.Marshal(m)
	if err != nil {
		return "", err
	}
	if err := d.putWithSums(ctx, folder+"/maven-metadata.xml", content); err != nil {
		return "", err
	}
	return build, d.merge(ctx, d.folder(group, artifact), func(m *mavenMetadata) { m.addVersion(group, artifact, base) })
}

// plugin deploys a plugin of Maven and adds its prefix to the group's list.
func (d mavenDeployer) plugin(ctx context.Context, group, prefix string) error {
	artifact := prefix + "-maven-plugin"
	jar, err := pluginJar(group, artifact, "1.0", prefix)
	if err != nil {
		return err
	}
	files := []mavenFile{{".pom", pomText(group, artifact, "1.0", "maven-plugin")}, {".jar", jar}}
	if err := d.release(ctx, group, artifact, "1.0", files); err != nil {
		return err
	}
	return d.merge(ctx, d.folder(group), func(m *mavenMetadata) {
		m.Plugins = append(m.Plugins, mavenPlugin{Name: prefix, Prefix: prefix, ArtifactID: artifact})
	})
}

// pluginJar is a plugin's archive, as far as a repository reads it.
func pluginJar(group, artifact, version, prefix string) ([]byte, error) {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	entry, err := archive.Create("META-INF/maven/plugin.xml")
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(entry, `<plugin><name>%s</name><groupId>%s</groupId><artifactId>%s</artifactId>`+
		`<version>%s</version><goalPrefix>%s</goalPrefix><mojos></mojos></plugin>`, prefix, group, artifact, version, prefix)
	if err != nil {
		return nil, err
	}
	err = archive.Close()
	return b.Bytes(), err
}

// jarOf packs content.txt alone.
func jarOf(text string) ([]byte, error) {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	entry, err := archive.Create("content.txt")
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(entry, text); err != nil {
		return nil, err
	}
	err = archive.Close()
	return b.Bytes(), err
}
