package npm

import (
	"encoding/json"
	"strconv"

	"pakhus/internal/registry"
)

// Bounds of what packuments repeat of the latest version (npm.md 22).
const (
	maxReadme         = 64 << 10 // bytes
	maxTopDescription = 8 << 10  // bytes
	maxTopKeywords    = 100
)

// State is what the registry knows of a version beside its manifest: what it
// computed from the tarball, and what may change. It is stored as JSON.
type State struct {
	Integrity        string      `json:"integrity"` // sha512- and base64
	Shasum           string      `json:"shasum"`    // SHA-1 in hex
	FileCount        int         `json:"fileCount,omitempty"`
	UnpackedSize     int64       `json:"unpackedSize,omitempty"` // bytes
	HasInstallScript bool        `json:"hasInstallScript,omitempty"`
	HasShrinkwrap    bool        `json:"hasShrinkwrap,omitempty"`
	Deprecated       string      `json:"deprecated,omitempty"` // why; empty when the version is not
	NpmUser          person      `json:"npmUser"`
	Signatures       []Signature `json:"signatures,omitempty"`
}

// Signature is one signature of the registry over name, version and integrity.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"` // base64
}

// ownedFields are the fields of a version that the registry alone writes. A
// client's are dropped; the fragments have them from the State.
var ownedFields = map[string]bool{
	"_id": true, "_npmUser": true, "dist": true, "deprecated": true, "hasInstallScript": true, "_hasShrinkwrap": true,
}

// abbreviatedFields are the fields of a version that the abbreviated packument
// takes from the manifest (npm.md 5.1). npm's own list lacks libc, on which
// pnpm and bun act.
var abbreviatedFields = map[string]bool{
	"name": true, "version": true,
	"dependencies": true, "optionalDependencies": true, "devDependencies": true, "peerDependencies": true,
	"peerDependenciesMeta": true, "acceptDependencies": true, "bundleDependencies": true, "bundledDependencies": true,
	"bin": true, "directories": true, "engines": true, "os": true, "cpu": true, "libc": true, "funding": true,
}

// topFields are the fields that a full packument copies from its latest version
// (npm.md 5.2).
var topFields = map[string]bool{
	"description": true, "homepage": true, "keywords": true, "repository": true,
	"bugs": true, "license": true, "author": true, "contributors": true,
}

// FullFragment builds a version's object of the full packument: the manifest as
// it is, then what the registry adds. It stops within the object, behind the
// quote that opens the tarball's address: address, quote and two braces are to
// follow. The same input gives the same bytes. A manifest without a name or a
// version is Invalid.
func FullFragment(manifest []byte, s State) ([]byte, error) {
	f := fragment{b: append(make([]byte, 0, len(manifest)+1024), '{')}
	err := eachMember(manifest, func(key string, rawKey, value []byte) error {
		if !ownedFields[key] && (key != "maintainers" || s.NpmUser.Name == "") {
			f.addRaw(rawKey, value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	id, err := manifestID(manifest)
	if err != nil {
		return nil, err
	}
	f.addText("_id", id)
	if s.NpmUser.Name != "" {
		f.addKey("maintainers")
		f.b = append(appendPerson(append(f.b, '['), s.NpmUser), ']')
	}
	return f.finish(s), nil
}

// AbbreviatedFragment is FullFragment for the abbreviated packument.
func AbbreviatedFragment(manifest []byte, s State) ([]byte, error) {
	f := fragment{b: append(make([]byte, 0, 1024), '{')}
	bundle := findMember(manifest, "bundleDependencies")
	err := eachMember(manifest, func(key string, rawKey, value []byte) error {
		switch {
		case !abbreviatedFields[key]:
		case key != "bundledDependencies": // a common spelling, which npm reads as the other
			f.addRaw(rawKey, value)
		case bundle == nil:
			f.addKey("bundleDependencies")
			f.b = appendCompact(f.b, value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := manifestID(manifest); err != nil {
		return nil, err
	}
	return f.finish(s), nil
}

// manifestID is name@version.
func manifestID(manifest []byte) (string, error) {
	name, ok1 := stringValue(findMember(manifest, "name"))
	version, ok2 := stringValue(findMember(manifest, "version"))
	if !ok1 || !ok2 {
		return "", registry.Errorf(registry.Invalid, "the manifest has no name or no version")
	}
	return name + "@" + version, nil
}

// fragment is a JSON object in the making.
type fragment struct {
	b     []byte
	inner bool // there is a member
}

func (f *fragment) addRaw(rawKey, value []byte) {
	if f.inner {
		f.b = append(f.b, ',')
	}
	f.inner = true
	f.b = append(append(f.b, rawKey...), ':')
	f.b = appendCompact(f.b, value)
}

func (f *fragment) addKey(key string) {
	if f.inner {
		f.b = append(f.b, ',')
	}
	f.inner = true
	f.b = append(appendText(f.b, key), ':')
}

func (f *fragment) addText(key, value string) {
	f.addKey(key)
	f.b = appendText(f.b, value)
}

// finish adds what the registry knows, and dist as far as the tarball's address.
func (f *fragment) finish(s State) []byte {
	if s.NpmUser.Name != "" {
		f.addKey("_npmUser")
		f.b = appendPerson(f.b, s.NpmUser)
	}
	if s.HasInstallScript {
		f.b = append(f.b, `,"hasInstallScript":true`...)
	}
	if s.HasShrinkwrap {
		f.b = append(f.b, `,"_hasShrinkwrap":true`...)
	}
	if s.Deprecated != "" {
		f.addText("deprecated", s.Deprecated)
	}
	f.addKey("dist")
	b := append(appendText(append(f.b, `{"integrity":`...), s.Integrity), `,"shasum":`...)
	b = appendText(b, s.Shasum)
	if s.FileCount > 0 {
		b = strconv.AppendInt(append(b, `,"fileCount":`...), int64(s.FileCount), 10)
		b = strconv.AppendInt(append(b, `,"unpackedSize":`...), s.UnpackedSize, 10)
	}
	for i, signature := range s.Signatures {
		if i == 0 {
			b = append(b, `,"signatures":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"keyid":`...), signature.KeyID)
		b = append(appendText(append(b, `,"sig":`...), signature.Sig), '}')
	}
	if len(s.Signatures) > 0 {
		b = append(b, ']')
	}
	return append(b, `,"tarball":"`...)
}

func appendPerson(b []byte, p person) []byte {
	b = appendText(append(b, `{"name":`...), p.Name)
	return append(appendText(append(b, `,"email":`...), p.Email), '}')
}

// TopFragment builds the object of the fields that a packument copies from its
// latest version. Text that no client shows whole is cut.
func TopFragment(manifest []byte, readme, readmeFilename string) ([]byte, error) {
	f := fragment{b: []byte{'{'}}
	err := eachMember(manifest, func(key string, rawKey, value []byte) error {
		if !topFields[key] {
			return nil
		}
		switch key {
		case "description":
			if text, ok := stringValue(value); ok && len(text) > maxTopDescription {
				value = appendText(nil, cutText(text, maxTopDescription))
			}
		case "keywords":
			value = cutKeywords(value)
		}
		f.addRaw(rawKey, value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	f.addText("readme", cutText(readme, maxReadme))
	f.addText("readmeFilename", cutText(readmeFilename, maxTopDescription))
	return append(f.b, '}'), nil
}

// cutKeywords keeps the first keywords of an array; other shapes stay.
func cutKeywords(value []byte) []byte {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil || len(list) <= maxTopKeywords {
		return value
	}
	cut := []byte{'['}
	for i, keyword := range list[:maxTopKeywords] {
		if i > 0 {
			cut = append(cut, ',')
		}
		cut = append(cut, keyword...)
	}
	return append(cut, ']')
}
