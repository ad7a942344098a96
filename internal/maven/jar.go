package maven

import (
	"errors"
	"io"
	"strings"
)

const (
	pluginDescriptor    = "META-INF/maven/plugin.xml"
	archetypeDescriptor = "META-INF/maven/archetype-metadata.xml"
)

const (
	maxDescriptor = 4 << 20 // bytes of plugin.xml, unpacked
	maxPrefix     = 255     // bytes
	maxPluginName = 1 << 10 // bytes
)

// Jar is what a jar tells about itself.
type Jar struct {
	IsArchetype bool

	groupID string // of the plugin that it holds
	plugin  Plugin
}

// ReadJar looks into a jar for the descriptors of plugins and archetypes. A file
// that is no jar, is damaged, holds a descriptor twice, or would unpack to more
// than the bounds is a jar without descriptors: it is stored all the same
// (maven.md 17). An error is a failure of the reader.
func ReadJar(r io.ReaderAt, size int64) (Jar, error) {
	watched := &watchedReader{r: r}
	var jar Jar
	entries, ok := findEntries(watched, size, pluginDescriptor, archetypeDescriptor)
	if ok {
		jar.IsArchetype = entries[archetypeDescriptor].found == 1
		if entry := entries[pluginDescriptor]; entry.found == 1 {
			jar.readPlugin(entry.open(watched))
		}
	}
	if watched.err != nil {
		return Jar{}, watched.err
	}
	return jar, nil
}

func (j *Jar) readPlugin(r io.Reader) {
	var p Plugin
	var groupID string
	err := walkXML(r, maxDescriptor, func(path []string, text string) error {
		switch strings.Join(path, "/") {
		case "plugin/groupId":
			groupID = text
		case "plugin/artifactId":
			p.ArtifactID = text
		case "plugin/goalPrefix":
			p.Prefix = text
		case "plugin/name":
			p.Name = text
		}
		return nil
	})
	if err != nil || len(p.Prefix) > maxPrefix {
		return
	}
	if len(p.Name) > maxPluginName {
		p.Name = ""
	}
	j.groupID, j.plugin = groupID, p
}

// Plugin gives the plugin that the jar is under these coordinates. Only the main
// jar is one, and only when its descriptor names the same group and artifact:
// nobody gets a prefix for what lies elsewhere.
func (j Jar) Plugin(c Coordinates) (Plugin, bool) {
	if c.Classifier != "" || c.Extension != "jar" || j.groupID != c.GroupID || j.plugin.ArtifactID != c.ArtifactID {
		return Plugin{}, false
	}
	p := j.plugin
	if p.Prefix == "" {
		p.Prefix = DefaultPrefix(c.ArtifactID)
	}
	return p, p.Prefix != ""
}

// DefaultPrefix is the prefix of a plugin that names none: X of maven-X-plugin,
// which is how Maven's own are called, and of X-maven-plugin. It is empty for
// all others.
func DefaultPrefix(artifactID string) string {
	rest, ok := strings.CutSuffix(artifactID, "-plugin")
	if !ok {
		return ""
	}
	if prefix, ok := strings.CutPrefix(rest, "maven-"); ok {
		return prefix
	}
	if prefix, ok := strings.CutSuffix(rest, "-maven"); ok {
		return prefix
	}
	return ""
}

// watchedReader keeps a failure of the reader below, which unpacking would
// report as a damaged archive.
type watchedReader struct {
	r   io.ReaderAt
	err error
}

func (w *watchedReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
