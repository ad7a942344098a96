package npm

import (
	"encoding/json"
	"maps"
	"path"
	"strings"

	"pakhus/internal/registry"
)

// CompareManifests refuses a publish whose manifest tells something else than
// the package.json in the tarball (manifest confusion, npm.md 7.2 row 12). What
// counts is what decides which code runs on whose machine: name, version,
// install scripts, dependencies and programs.
//
// Clients normalise package.json before they send it, each in its own way. Only
// differences that no normalisation makes are refused, with Invalid.
func CompareManifests(sent, packed []byte, name Name, version string) error {
	var a, b confusable
	if err := json.Unmarshal(sent, &a); err != nil {
		return registry.Wrapf(registry.Invalid, err, "the manifest is not an object with a name and a version")
	}
	if err := json.Unmarshal(packed, &b); err != nil {
		return registry.Wrapf(registry.Invalid, err, "package.json in the tarball is not an object with a name and a version")
	}
	if b.Name != name.String() {
		return registry.Errorf(registry.Invalid, "package.json in the tarball is of %q, not of %s", b.Name, name)
	}
	if plainVersion(b.Version) != version {
		return registry.Errorf(registry.Invalid, "package.json in the tarball is of version %q, not of %s", b.Version, version)
	}
	for _, hook := range []string{"preinstall", "install", "postinstall"} {
		if !sameHook(hook, a, b) {
			return errConfused("scripts." + hook)
		}
	}
	if !sameRanges(merged(a.Dependencies, a.OptionalDependencies), merged(b.Dependencies, b.OptionalDependencies)) {
		return errConfused("dependencies")
	}
	if !sameRanges(merged(a.PeerDependencies), merged(b.PeerDependencies)) {
		return errConfused("peerDependencies")
	}
	if !samePrograms(a, b, name) {
		return errConfused("bin")
	}
	return nil
}

func errConfused(field string) error {
	return registry.Errorf(registry.Invalid, "%s in the manifest differs from package.json in the tarball", field)
}

// confusable are the fields of a manifest that are compared. Each may have any
// shape.
type confusable struct {
	Name                 string          `json:"name"`
	Version              string          `json:"version"`
	Scripts              json.RawMessage `json:"scripts"`
	Dependencies         json.RawMessage `json:"dependencies"`
	OptionalDependencies json.RawMessage `json:"optionalDependencies"`
	PeerDependencies     json.RawMessage `json:"peerDependencies"`
	Bin                  json.RawMessage `json:"bin"`
	Directories          json.RawMessage `json:"directories"`
}

// plainVersion is a version as clients send it: without build metadata, blanks
// and a leading v or =, which npm takes off.
func plainVersion(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "+")
	return strings.TrimLeft(s, "v=")
}

// sameHook compares an install script. npm adds "node-gyp rebuild" to the
// manifest of a package with a binding.gyp.
func sameHook(hook string, a, b confusable) bool {
	sent, _ := stringValue(findMember(a.Scripts, hook))
	packed, _ := stringValue(findMember(b.Scripts, hook))
	return strings.TrimSpace(sent) == strings.TrimSpace(packed) ||
		(hook == "install" && packed == "" && sent == "node-gyp rebuild")
}

// merged puts maps of dependencies together: npm copies optional dependencies
// into the others, or takes them out there. A field that is no map of texts
// names no dependency that a client would install.
func merged(fields ...json.RawMessage) map[string]string {
	all := map[string]string{}
	for _, field := range fields {
		var dependencies map[string]json.RawMessage
		if json.Unmarshal(field, &dependencies) != nil {
			continue
		}
		for name, value := range dependencies {
			if requirement, ok := stringValue(value); ok {
				all[name] = strings.TrimSpace(requirement)
			}
		}
	}
	return all
}

// sameRanges compares dependencies. Addresses of git hosts are rewritten by npm,
// and workspace and catalog ranges by whoever packs; of those only the name
// counts.
func sameRanges(a, b map[string]string) bool {
	return maps.EqualFunc(a, b, func(x, y string) bool {
		return x == y || (isRewritten(x) || isRewritten(y))
	})
}

func isRewritten(requirement string) bool {
	for _, prefix := range []string{"workspace:", "catalog:", "git+", "git:", "github:", "gitlab:", "bitbucket:", "gist:"} {
		if strings.HasPrefix(requirement, prefix) {
			return true
		}
	}
	owner, _, found := strings.Cut(requirement, "/")
	return found && owner != "" && !strings.ContainsAny(owner, ":.@")
}

// samePrograms compares the programs that installing links. A folder of programs
// is expanded by clients from files that only they have looked at.
func samePrograms(a, b confusable, name Name) bool {
	if len(b.Bin) == 0 && findMember(b.Directories, "bin") != nil {
		return true
	}
	return maps.Equal(programs(a.Bin, name), programs(b.Bin, name))
}

// programs normalises bin as npm does: a text is the program called like the
// package; paths lose what leads out of the package.
func programs(bin json.RawMessage, name Name) map[string]string {
	all := map[string]string{}
	add := func(program, file string) {
		program = path.Base(path.Join("/", strings.NewReplacer(`\`, "/", ":", "/").Replace(program)))
		file = strings.TrimPrefix(path.Join("/", strings.ReplaceAll(file, `\`, "/")), "/")
		if program != "/" && file != "" {
			all[program] = file
		}
	}
	if file, ok := stringValue(bin); ok {
		add(name.Base(), file)
		return all
	}
	var list []json.RawMessage
	if json.Unmarshal(bin, &list) == nil {
		for _, item := range list {
			if file, ok := stringValue(item); ok {
				add(path.Base(file), file)
			}
		}
		return all
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(bin, &object) == nil {
		for program, item := range object {
			if file, ok := stringValue(item); ok {
				add(program, file)
			}
		}
	}
	return all
}
