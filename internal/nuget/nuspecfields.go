package nuget

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// Lengths that the gallery allows, in characters.
const (
	maxTitle          = 256
	maxText           = 4000
	maxReleaseNotes   = 35_000
	maxRepositoryType = 100
)

// finish turns the fields into the Nuspec, and checks what its parts say.
func (p *nuspecParser) finish() error {
	if err := p.identity(); err != nil {
		return err
	}
	if p.minClientVersion != "" {
		version, err := ParseVersion(p.minClientVersion)
		if err != nil {
			return registry.Errorf(registry.Invalid, "minClientVersion is refused: %s", registry.Message(err))
		}
		p.MinClientVersion = version.String()
	}
	if len(p.PackageTypes) == 0 {
		p.PackageTypes = []PackageType{{Name: typeDependency}}
	}
	p.texts()
	p.addresses()
	p.source()
	p.finishDependencies()
	p.RequireLicenseAcceptance = p.flag("requireLicenseAcceptance")
	p.DevelopmentDependency = p.flag("developmentDependency")
	p.Icon = cleanPath(strings.TrimSpace(p.fields["icon"]))
	if p.Readme = cleanPath(strings.TrimSpace(p.fields["readme"])); p.Readme != "" {
		return checkExtension("readme", p.Readme, ".md")
	}
	return nil
}

func (p *nuspecParser) identity() (err error) {
	if p.ID, err = ParseNewID(p.fields["id"]); err != nil {
		return err
	}
	text, ok := p.fields["version"]
	if !ok {
		return registry.Errorf(registry.Invalid, "the nuspec has no version")
	}
	if p.Version, err = ParseVersion(text); err != nil {
		return err
	}
	if len(p.Version.Original()) > maxNewVersion || len(p.Version.Full()) > maxNewVersion {
		return registry.Errorf(registry.Invalid, "the version is longer than %d characters", maxNewVersion)
	}
	return nil
}

func (p *nuspecParser) texts() {
	for _, f := range []struct {
		into  *string
		name  string
		limit int
	}{
		{&p.Title, "title", maxTitle},
		{&p.Authors, "authors", maxText},
		{&p.Owners, "owners", maxText},
		{&p.Description, "description", maxText},
		{&p.Summary, "summary", maxText},
		{&p.ReleaseNotes, "releaseNotes", maxReleaseNotes},
		{&p.Language, "language", maxTitle},
		{&p.Copyright, "copyright", maxText},
		{&p.Tags, "tags", maxText},
	} {
		text := strings.TrimSpace(p.fields[strings.ToLower(f.name)])
		*f.into = cutText(text, f.limit)
		if len(*f.into) < len(text) {
			p.warn("The %s is longer than %d characters: it is shown cut off.", f.name, f.limit)
		}
	}
	for _, f := range []struct{ name, text string }{{"authors", p.Authors}, {"description", p.Description}} {
		if f.text == "" {
			p.warn("The nuspec has no %s, which clients require when they pack.", f.name)
		}
	}
}

// addresses takes those that clients can read: one bad address empties a whole
// page of search results (NuGet/Home#13509).
func (p *nuspecParser) addresses() {
	for _, f := range []struct {
		into *string
		name string
	}{{&p.ProjectURL, "projectUrl"}, {&p.LicenseURL, "licenseUrl"}, {&p.IconURL, "iconUrl"}} {
		text := strings.TrimSpace(p.fields[strings.ToLower(f.name)])
		if text == "" {
			continue
		}
		if *f.into = webAddress(text); *f.into == "" {
			p.warn("The %s is left out: %s is no absolute http or https address.", f.name, quoteASCII(text))
		}
	}
}

// webAddress is the address in ASCII, or empty when it is not absolute or not of
// the web.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || !isHost(u.Hostname()) {
		return ""
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return ""
		}
	}
	text := u.String()
	if len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return text
}

// isHost tells whether every client reads the name of a host: letters, digits,
// hyphens and underscores between single dots, or an IPv6 address, which has
// been checked by url.Parse less its digits.
func isHost(s string) bool {
	if strings.Contains(s, ":") {
		return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF:.", r) })
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLabelByte(c) && c != '_' {
				return false
			}
		}
	}
	return true
}

// source drops what is too long of the repository.
func (p *nuspecParser) source() {
	r := &p.Repository
	for _, f := range []struct {
		text  *string
		name  string
		limit int
	}{{&r.Type, "type", maxRepositoryType}, {&r.URL, "url", maxText}, {&r.Branch, "branch", maxText}, {&r.Commit, "commit", maxText}} {
		if *f.text = strings.TrimSpace(*f.text); utf8.RuneCountInString(*f.text) > f.limit {
			*f.text = ""
			p.warn("The repository's %s is left out: it is longer than %d characters.", f.name, f.limit)
		}
	}
}

// flag reads a boolean. Clients fail on what is neither true nor false.
func (p *nuspecParser) flag(name string) bool {
	text := strings.TrimSpace(p.fields[strings.ToLower(name)])
	if text != "" && !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
		p.warn("The %s is neither true nor false but %s: it is read as false.", name, quoteASCII(text))
	}
	return strings.EqualFold(text, "true")
}

// cleanPath is the path of a file in the package. Packers on Windows write
// backslashes.
func cleanPath(s string) string {
	s = strings.ReplaceAll(s, `\`, "/")
	return strings.TrimLeft(strings.TrimPrefix(s, "./"), "/")
}

func checkExtension(field, file string, allowed ...string) error {
	if slices.Contains(allowed, strings.ToLower(path.Ext(file))) {
		return nil
	}
	return registry.Errorf(registry.Invalid, "the %s file %q has an extension that is not allowed", field, cutText(file, 200))
}

// quoteASCII quotes a text for a warning, which travels in a header.
func quoteASCII(s string) string { return strconv.QuoteToASCII(cutText(s, 100)) }
