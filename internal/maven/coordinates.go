package maven

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stampLayout is how the time of a build stands in names and in metadata, UTC.
const stampLayout = "20060102.150405"

// Build is one deployment of a snapshot; the zero Build is none.
type Build struct {
	Timestamp string // yyyyMMdd.HHmmss, UTC
	Number    int64
}

// IsZero tells whether there is no build.
func (b Build) IsZero() bool { return b.Timestamp == "" }

// String is the build as it stands in names: 20260301.101500-7.
func (b Build) String() string {
	if b.IsZero() {
		return ""
	}
	return b.Timestamp + "-" + strconv.FormatInt(b.Number, 10)
}

// Compare orders builds by time, then by number (maven.md 8.1). No build comes
// before all others.
func (b Build) Compare(o Build) int {
	if c := strings.Compare(b.Timestamp, o.Timestamp); c != 0 {
		return c
	}
	switch {
	case b.Number < o.Number:
		return -1
	case b.Number > o.Number:
		return 1
	}
	return 0
}

// ParseBuild reads what stands in place of SNAPSHOT in the name of a build's
// file. A time that no clock shows and a number with leading zeros are no build.
func ParseBuild(s string) (Build, bool) {
	timestamp, digits, ok := strings.Cut(s, "-")
	if !ok {
		return Build{}, false
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != digits || number < 0 {
		return Build{}, false
	}
	if len(timestamp) != len(stampLayout) {
		return Build{}, false
	}
	if _, err := time.Parse(stampLayout, timestamp); err != nil {
		return Build{}, false
	}
	return Build{Timestamp: timestamp, Number: number}, true
}

// Coordinates are what the path of an artifact's file tells. They come from the
// path alone: a POM may inherit its own from a parent (maven.md 2.7).
type Coordinates struct {
	GroupID    string
	ArtifactID string
	Version    string // the directory; of a snapshot its base version
	Build      Build  // zero for releases and for files literally named -SNAPSHOT
	Classifier string
	Extension  string // without the dot; may be empty
	// Prefix is what the file's name begins with: the artifactId, but for sbt's
	// plugins in their old form, which leave the versions of Scala and sbt away
	// (maven.md 2.6).
	Prefix string
}

// ParseCoordinates reads the coordinates of the file that the path is about:
// a checksum's and a signature's are those of their file. It is false for files
// that are no artifact by their name, such as Ivy's descriptors; they are kept
// like all others.
func ParseCoordinates(p Path) (Coordinates, bool) {
	slash := strings.LastIndexByte(p.Package, '/')
	if p.Kind != KindFile || slash < 0 {
		return Coordinates{}, false
	}
	c := Coordinates{GroupID: strings.ReplaceAll(p.Package[:slash], "/", "."), ArtifactID: p.Package[slash+1:], Version: p.Version}
	for _, prefix := range filePrefixes(c.ArtifactID) {
		rest, ok := strings.CutPrefix(p.Base, prefix+"-")
		if !ok {
			continue
		}
		c.Prefix = prefix
		if rest, ok = c.cutVersion(rest); ok && c.setRemainder(rest) {
			return c, true
		}
	}
	return Coordinates{}, false
}

// sbtSuffix is what sbt appends to a plugin's artifactId: versions of Scala and
// of sbt itself.
var sbtSuffix = regexp.MustCompile(`_(2\.\d+|3)(_(0\.13|1\.0|2))?$`)

// filePrefixes gives what names of an artifact's files may begin with.
func filePrefixes(artifactID string) []string {
	if at := sbtSuffix.FindStringIndex(artifactID); at != nil && at[0] > 0 {
		return []string{artifactID, artifactID[:at[0]]}
	}
	return []string{artifactID}
}

// cutVersion takes the version, or in its place a build, off the front.
func (c *Coordinates) cutVersion(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, c.Version); ok {
		return rest, true
	}
	if !hasBuilds(c.Version) {
		return "", false
	}
	s, ok := strings.CutPrefix(s, strings.TrimSuffix(c.Version, "SNAPSHOT"))
	if !ok || len(s) < len(stampLayout)+2 {
		return "", false
	}
	end := len(stampLayout) + 1
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	c.Build, ok = ParseBuild(s[:end])
	return s[end:], ok
}

// hasBuilds tells whether files of a version's directory may carry a build in
// place of SNAPSHOT. Without a dash before it no client writes them.
func hasBuilds(version string) bool {
	return version == "SNAPSHOT" || strings.HasSuffix(version, "-SNAPSHOT")
}

// compoundExtensions are those whose last dot does not begin the extension.
var compoundExtensions = [...]string{".tar.gz", ".tar.bz2", ".tar.xz", ".tar.Z", ".tar.lzma", ".tar.zst", ".cpio.gz", ".nk.os"}

// setRemainder reads what stands behind the version: classifier and extension.
func (c *Coordinates) setRemainder(s string) bool {
	if s == "" {
		return true
	}
	if s[0] == '.' {
		c.Extension = s[1:]
		return c.Extension != ""
	}
	if s[0] != '-' {
		return false
	}
	dot := strings.LastIndexByte(s, '.')
	for _, extension := range compoundExtensions {
		if strings.HasSuffix(s, extension) {
			dot = len(s) - len(extension)
		}
	}
	if dot < 0 {
		c.Classifier = s[1:]
		return c.Classifier != ""
	}
	c.Classifier, c.Extension = s[1:dot], s[dot+1:]
	return c.Classifier != "" && c.Extension != ""
}

// Resolved is the version in the file's name: that of the build if there is one.
func (c Coordinates) Resolved() string {
	if c.Build.IsZero() {
		return c.Version
	}
	return strings.TrimSuffix(c.Version, "SNAPSHOT") + c.Build.String()
}

// FileName is the name of the file.
func (c Coordinates) FileName() string {
	name := c.Prefix + "-" + c.Resolved()
	if c.Classifier != "" {
		name += "-" + c.Classifier
	}
	if c.Extension != "" {
		name += "." + c.Extension
	}
	return name
}
