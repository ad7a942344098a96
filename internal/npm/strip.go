package npm

import (
	"encoding/json"

	"pakhus/internal/registry"
)

// Manifest is a version's manifest as we store it.
type Manifest struct {
	JSON           []byte // compact, keys in the client's order
	Readme         string // cut to 64 KiB
	ReadmeFilename string
	Deprecated     string // why, when the client published it deprecated
}

// leakedFields are what clients send of their own folders and caches (npm.md
// 5.2): pnpm 9 and 10 through npm tell the name of a temporary file. bun puts
// integrity and shasum beside dist.
var leakedFields = map[string]bool{
	"_resolved": true, "_from": true, "_integrity": true, "_where": true, "_args": true, "_requested": true, "_inBundle": true,
	"integrity": true, "shasum": true, "_attachments": true,
}

// StripManifest makes what is stored of the manifest that a client sent: it
// takes out the readme, what the registry writes itself, and what should never
// have been sent. Everything else stays as it is, known or not. Text that is
// not a JSON object is Invalid.
func StripManifest(raw []byte) (Manifest, error) {
	if !json.Valid(raw) {
		return Manifest{}, registry.Errorf(registry.Invalid, "the manifest is not JSON")
	}
	m := Manifest{Deprecated: DeprecationText(raw)}
	f := fragment{b: append(make([]byte, 0, len(raw)), '{')}
	err := eachMember(raw, func(key string, rawKey, value []byte) error {
		switch {
		case key == "readme":
			text, _ := stringValue(value) // another shape is no readme
			m.Readme = cutText(text, maxReadme)
		case key == "readmeFilename":
			m.ReadmeFilename, _ = stringValue(value)
		case !ownedFields[key] && !leakedFields[key]:
			f.addRaw(rawKey, value)
		}
		return nil
	})
	if err != nil {
		return Manifest{}, registry.Errorf(registry.Invalid, "the manifest is not a JSON object")
	}
	m.JSON = append(f.b, '}')
	return m, nil
}

// DeprecationText says why a manifest is deprecated. It is empty when it is not:
// clients undo a deprecation with an empty text or with false.
func DeprecationText(manifest []byte) string {
	value := findMember(manifest, "deprecated")
	if string(value) == "true" {
		return "this version is deprecated"
	}
	text, _ := stringValue(value)
	return text
}

// HasInstallScript tells whether installing runs code: a script says so, or a
// binding.gyp in the package's root, which npm builds unless a script or
// gypfile says otherwise.
func HasInstallScript(manifest []byte, hasBindingGyp bool) bool {
	scripts := findMember(manifest, "scripts")
	has := func(name string) bool {
		text, _ := stringValue(findMember(scripts, name))
		return text != ""
	}
	if has("preinstall") || has("install") || has("postinstall") {
		return true
	}
	return hasBindingGyp && string(findMember(manifest, "gypfile")) != "false"
}
