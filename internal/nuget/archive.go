package nuget

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// maxEmbedded bounds the icon, the readme and the license of a package, in bytes
// (nuget.md 9).
const maxEmbedded = 1 << 20

// signatureName is the entry that author and repository signatures are in.
const signatureName = ".signature.p7s"

// PackageContents is what a nupkg says of itself.
type PackageContents struct {
	Nuspec      *Nuspec
	NuspecBytes []byte
	// Files that the nuspec names; empty when it names none.
	Icon     []byte
	IconType string // media type
	Readme   []byte
	License  []byte
	// Signed tells whether there is a signature. It is not verified.
	Signed bool
	// Warnings are sentences for the publisher, those of the nuspec among them:
	// printable ASCII on one line each.
	Warnings []string
}

// ReadPackage checks a nupkg of so many bytes and reads its nuspec and the files
// that this names; nothing else is unpacked. An archive that readers could
// understand in different ways is Invalid, as is a package that clients could
// not install. A failure of r is Unavailable.
func ReadPackage(r io.ReaderAt, size int64) (*PackageContents, error) {
	z, err := openZip(r, size)
	if err != nil {
		return nil, err
	}
	c := &PackageContents{}
	if c.Nuspec, c.NuspecBytes, err = z.readNuspec(); err != nil {
		return nil, err
	}
	n := c.Nuspec
	if n.IsSymbols() {
		return nil, registry.Errorf(registry.Invalid, "%s is a symbols package: push it to the symbolpackage address", n.ID)
	}
	if c.Icon, err = z.readEmbedded("icon", n.Icon); err != nil {
		return nil, err
	}
	if n.Icon != "" {
		if c.IconType = imageType(c.Icon); c.IconType == "" {
			return nil, errArchive("the icon is neither PNG nor JPEG")
		}
	}
	if c.Readme, err = z.readEmbedded("readme", n.Readme); err != nil {
		return nil, err
	}
	if n.License.Type == LicenseFile {
		if c.License, err = z.readEmbedded("license", n.License.Text); err != nil {
			return nil, err
		}
		if !utf8.Valid(c.License) {
			return nil, errArchive("the license file is not UTF-8")
		}
	}
	signature := z.find(signatureName)
	c.Signed = signature != nil && signature.raw == signatureName
	c.Warnings = slices.Clone(n.Warnings)
	c.warn(z)
	return c, nil
}

// warn adds what is odd but does no harm.
func (c *PackageContents) warn(z *zipArchive) {
	if z.find(c.Nuspec.ID.String()+nuspecExtension) == nil {
		c.Warnings = append(c.Warnings, "The nuspec is not called like the package.")
	}
	if c.Nuspec.HasType(typeMCPServer) && z.find(".mcp/server.json") == nil {
		c.Warnings = append(c.Warnings, "The package is of the type McpServer and has no .mcp/server.json.")
	}
}

const nuspecExtension = ".nuspec"

// readNuspec reads the one nuspec at the root.
func (z *zipArchive) readNuspec() (*Nuspec, []byte, error) {
	var found *zipEntry
	for i := range z.entries {
		e := &z.entries[i]
		if !strings.EqualFold(fileExtension(e.path), nuspecExtension) {
			continue
		}
		if strings.Contains(e.raw, `\`) { // at the root only for clients that are not on Windows
			return nil, nil, errEntry(e.raw, "is a nuspec with a backslash in its name")
		}
		if strings.Contains(e.path, "/") {
			continue
		}
		if found != nil {
			return nil, nil, errArchive("it holds two nuspecs")
		}
		found = e
	}
	if found == nil {
		return nil, nil, errArchive("it holds no nuspec at its root")
	}
	raw, err := z.read(found, maxNuspec)
	if err != nil {
		return nil, nil, err
	}
	n, err := ParseNuspec(raw)
	return n, raw, err
}

// fileExtension is what Windows takes for the extension: it drops dots and
// blanks at the end.
func fileExtension(path string) string {
	path = strings.TrimRight(path, ". ")
	return path[max(strings.LastIndexAny(path, "./"), 0):]
}

// readEmbedded reads a file that the nuspec names. An empty name is none.
func (z *zipArchive) readEmbedded(field, name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	e := z.find(name)
	if e == nil || strings.HasSuffix(e.path, folderSuffix) {
		return nil, registry.Errorf(registry.Invalid, "the package is refused: it does not hold its %s %q", field, cutText(name, 200))
	}
	content, err := z.read(e, maxEmbedded)
	if err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, registry.Errorf(registry.Invalid, "the package is refused: its %s %q is empty", field, cutText(name, 200))
	}
	return content, nil
}

// imageType is the media type of an image by its first bytes, or empty.
func imageType(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(content, []byte{0xff, 0xd8, 0xff}):
		return "image/jpeg"
	}
	return ""
}
