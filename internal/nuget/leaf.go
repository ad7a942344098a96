package nuget

import (
	"bytes"
	"time"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// leafFragment is the kind of the fragment that holds the middle of a version's
// leaf in registration pages.
const leafFragment registry.FragmentKind = "leaf"

// baseMark stands in fragments for the feed's address, which differs between
// requests. No JSON text holds the character itself.
const baseMark = 0

// newLeafFragment prepares what a leaf's catalogEntry says of the package itself:
// a run of members, each with a comma before it. Fields without a value are left
// out: a JSON null where a client expects an array is a failure there.
func newLeafFragment(e *Entry, at place) []byte {
	w := jsonWriter{b: make([]byte, 0, 1024)}
	w.text("id", e.ID)
	w.text("version", e.Version)
	w.filled("title", e.Title)
	w.text("authors", e.Authors)
	w.text("description", e.Description)
	w.filled("summary", e.Summary)
	w.filled("releaseNotes", e.ReleaseNotes)
	w.filled("language", e.Language)
	w.filled("copyright", e.Copyright)
	w.texts("tags", splitList(e.Tags, " "))
	w.filled("projectUrl", e.ProjectURL)
	w.fileOrURL("licenseUrl", e.LicenseFile != "", at.folder()+"/license", e.LicenseURL)
	w.filled("licenseExpression", e.LicenseExpression)
	w.fileOrURL("iconUrl", e.IconFile != "", at.folder()+"/icon", e.IconURL)
	w.fileOrURL("readmeUrl", e.ReadmeFile != "", at.folder()+"/readme", "")
	w.flag("requireLicenseAcceptance", e.RequireLicenseAcceptance)
	w.filled("minClientVersion", e.MinClientVersion)
	w.types(e.PackageTypes)
	w.dependencies(e.Dependencies)
	w.text("packageHash", e.Hash)
	w.text("packageHashAlgorithm", "SHA512")
	w.number("packageSize", e.Size)
	return w.b
}

// appendLeaf writes a version's leaf as it stands in a registration page.
func appendLeaf(b []byte, base string, v *registry.Version, fragment []byte, at place) ([]byte, error) {
	leaf, content := base+at.leaf(), base+at.nupkg()
	w := jsonWriter{b: append(b, `{"@id":`...)}
	w.b = serve.AppendJSON(w.b, leaf)
	w.text("@type", "Package")
	w.text("commitTimeStamp", formatTime(v.CreatedAt))
	w.text("packageContent", content)
	w.text("registration", base+registrationPath(at.id))
	w.b = append(w.b, `,"catalogEntry":{"@id":`...)
	w.b = serve.AppendJSON(w.b, leaf)
	w.text("@type", "PackageDetails")
	w.b = appendFragment(w.b, base, fragment)
	w.flag("listed", v.Status == registry.Listed)
	w.text("published", published(v))
	w.text("packageContent", content)
	s, err := stateOf(v)
	if err != nil {
		return nil, err
	}
	w.deprecation(s.Deprecation)
	return append(w.b, '}', '}'), nil
}

// appendFragment writes a fragment with the feed's address in its place.
func appendFragment(b []byte, base string, fragment []byte) []byte {
	for {
		i := bytes.IndexByte(fragment, baseMark)
		if i < 0 {
			return append(b, fragment...)
		}
		b = append(append(b, fragment[:i]...), base...)
		fragment = fragment[i+1:]
	}
}

// unlistedTime is what clients from before the listed flag look for.
const unlistedTime = "1900-01-01T00:00:00+00:00"

func published(v *registry.Version) string {
	if v.Status != registry.Listed {
		return unlistedTime
	}
	return formatTime(v.CreatedAt)
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000+00:00") }

// jsonWriter writes members of an object, each with a comma before it.
type jsonWriter struct{ b []byte }

func (w *jsonWriter) key(name string) {
	w.b = append(append(append(w.b, ',', '"'), name...), '"', ':')
}

func (w *jsonWriter) text(name, value string) {
	w.key(name)
	w.b = serve.AppendJSON(w.b, value)
}

// filled writes a text unless it is empty.
func (w *jsonWriter) filled(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *jsonWriter) flag(name string, value bool) {
	w.key(name)
	if value {
		w.b = append(w.b, "true"...)
	} else {
		w.b = append(w.b, "false"...)
	}
}

func (w *jsonWriter) number(name string, value int64) {
	w.key(name)
	w.b = append(w.b, formatID(value)...)
}

func (w *jsonWriter) texts(name string, values []string) {
	w.key(name)
	w.b = append(w.b, '[')
	for i, value := range values {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = serve.AppendJSON(w.b, value)
	}
	w.b = append(w.b, ']')
}

// fileOrURL writes the address of a file in the package, else one outside.
func (w *jsonWriter) fileOrURL(name string, hasFile bool, path, outside string) {
	if !hasFile {
		w.filled(name, outside)
		return
	}
	w.key(name)
	w.b = append(append(append(w.b, '"', baseMark), path...), '"')
}

func (w *jsonWriter) types(types []EntryType) {
	w.key("packageTypes")
	for i, t := range types {
		w.b = append(w.b, "[,"[min(i, 1)])
		w.b = append(w.b, `{"name":`...)
		w.b = serve.AppendJSON(w.b, t.Name)
		w.filled("version", t.Version)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

// dependencies writes the groups. One that is empty stays: it tells that a
// framework is supported (nuget.md 5.3).
func (w *jsonWriter) dependencies(groups []EntryDependents) {
	if len(groups) == 0 {
		return
	}
	w.key("dependencyGroups")
	for i, group := range groups {
		w.b = append(w.b, "[,"[min(i, 1)])
		w.b = append(w.b, `{"@type":"PackageDependencyGroup"`...)
		w.filled("targetFramework", group.Framework)
		for j, d := range group.Packages {
			if j == 0 {
				w.b = append(w.b, `,"dependencies":[`...)
			} else {
				w.b = append(w.b, ',')
			}
			w.b = append(w.b, `{"@type":"PackageDependency"`...)
			w.text("id", d.ID)
			w.text("range", d.Range)
			w.b = append(w.b, '}')
		}
		if len(group.Packages) > 0 {
			w.b = append(w.b, ']')
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *jsonWriter) deprecation(d *Deprecation) {
	if d == nil {
		return
	}
	w.b = append(w.b, `,"deprecation":{"@type":"deprecation"`...)
	w.texts("reasons", d.Reasons)
	w.filled("message", d.Message)
	if d.Alternate != "" {
		w.b = append(w.b, `,"alternatePackage":{"@type":"alternatePackage"`...)
		w.text("id", d.Alternate)
		w.text("range", d.Range)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, '}')
}
