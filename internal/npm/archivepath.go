package npm

import (
	"archive/tar"
	"path"
	"slices"
	"strings"
	"unicode"

	"pakhus/internal/registry"
)

// entryName checks an entry's name and takes its first part off, as clients do
// when they unpack. A name of one part is empty then.
func entryName(name string, limit int) (string, error) {
	switch {
	case len(name) > limit:
		return "", registry.Errorf(registry.Invalid, "the tarball is refused: an entry's name is longer than %d bytes", limit)
	case name == "" || strings.ContainsFunc(name, unicode.IsControl):
		return "", errEntry(name, "has an empty name or one with control characters")
	case !isRelative(name):
		return "", errEntry(name, "has an absolute name, or one that Windows reads in another way")
	}
	first, rest, _ := strings.Cut(strings.TrimSuffix(name, "/"), "/")
	if first == ".." || first == "" { // a single dot is what tar writes for a whole folder
		return "", errEntry(name, "leads out of the package")
	}
	if rest == "" {
		return "", nil
	}
	for part := range strings.SplitSeq(rest, "/") {
		switch part {
		case "..":
			return "", errEntry(name, "leads out of the package")
		case ".", "":
			return "", errEntry(name, "has a part that is empty or a dot: it could be written in another way")
		}
	}
	return rest, nil
}

// isRelative refuses names that are absolute on any system, and backslashes,
// which are part of a name on some systems and separate names on others.
func isRelative(name string) bool {
	drive := len(name) > 1 && name[1] == ':' && (name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z')
	return !drive && name[0] != '/' && !strings.Contains(name, `\`)
}

// checkLink lets links within the package through. npm packs none and unpacks
// none, but yarn 4 packs symbolic links as they are. Folders pass.
func checkLink(header *tar.Header, name string, limit int) error {
	target := header.Linkname
	switch header.Typeflag {
	case tar.TypeDir:
		return nil
	case tar.TypeLink: // its target is the name of another entry
		if _, err := entryName(target, limit); err != nil {
			return errEntry(header.Name, "is a link that leads out of the package")
		}
		return nil
	}
	if target == "" || len(target) > limit || !isRelative(target) || strings.ContainsFunc(target, unicode.IsControl) {
		return errEntry(header.Name, "is a link that leads out of the package")
	}
	if reached := path.Join(path.Dir(name), target); reached == ".." || strings.HasPrefix(reached, "../") {
		return errEntry(header.Name, "is a link that leads out of the package")
	}
	return nil
}

// checkGlobalHeader refuses a header for all entries that says where they lie:
// some readers heed it and others do not.
func checkGlobalHeader(header *tar.Header) error {
	for key := range header.PAXRecords {
		if slices.Contains([]string{"path", "linkpath", "size"}, key) {
			return errArchive("a header for all entries gives a " + key)
		}
	}
	return nil
}
