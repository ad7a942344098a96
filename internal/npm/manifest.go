package npm

import (
	"encoding/json"
	"maps"
	"path"
	"strings"

	"pakhus/internal/registry"
)

// ConfusionMode says what happens when the manifest that a client sends differs
// from package.json in its tarball. The zero value refuses.
type ConfusionMode int

// The modes.
const (
	RefuseConfusion ConfusionMode = iota
	WarnOfConfusion
	IgnoreConfusion
)

// ParseConfusionMode reads a mode by its name: refuse, warn or ignore.
func ParseConfusionMode(s string) (ConfusionMode, error) {
	switch s {
	case "refuse":
		return RefuseConfusion, nil
	case "warn":
		return WarnOfConfusion, nil
	case "ignore":
		return IgnoreConfusion, nil
	}
	return RefuseConfusion, registry.Errorf(registry.Invalid, "%q is not one of refuse, warn, ignore", s)
}

// Check compares the manifest that a client sent with the package.json in the
// tarball (manifest confusion, npm.md 7.2 row 12). What counts is what decides
// which code runs on whose machine: name, version, install scripts, dependencies
// and programs. Another name or version is Invalid in every mode; the fields
// that differ are Invalid or come back, as the mode says.
//
// Clients normalise package.json before they send it, each in its own way. Only
// differences that no normalisation makes count.
func (m ConfusionMode) Check(sent, packed []byte, name Name, version string) (differ []string, err error) {
	a, err := readConfusable(sent)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the manifest is not a JSON object")
	}
	b, err := readConfusable(packed)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "package.json in the tarball is not a JSON object")
	}
	if a.text("name") != name.String() || a.text("version") != version {
		return nil, registry.Errorf(registry.Invalid, "the manifest must be of %s@%s: it is of %q@%q", name, version, cutText(a.text("name"), maxOldName), cutText(a.text("version"), maxVersion))
	}
	if found := strings.TrimSpace(b.text("name")); found != name.String() {
		return nil, registry.Errorf(registry.Invalid, "package.json in the tarball is of %q, not of %s", cutText(found, maxOldName), name)
	}
	if found := b.text("version"); looseVersion(found) != version {
		return nil, registry.Errorf(registry.Invalid, "package.json in the tarball is of version %q, not of %s", cutText(found, maxVersion), version)
	}
	if m == IgnoreConfusion {
		return nil, nil
	}
	differ = differences(a, b, name)
	if m == RefuseConfusion && len(differ) > 0 {
		return nil, registry.Errorf(registry.Invalid, "%s in the manifest differs from package.json in the tarball", strings.Join(differ, ", "))
	}
	return differ, nil
}

// differences names the fields that differ.
func differences(sent, packed confusable, name Name) []string {
	var differ []string
	for _, hook := range []string{"preinstall", "install", "postinstall"} {
		if !sameHook(hook, sent, packed) {
			differ = append(differ, "scripts."+hook)
		}
	}
	// Old npm copies optional dependencies into the others, new npm and yarn 1
	// take them out there: together they are the same.
	if !sameRequirements(sent.requirements("dependencies", "optionalDependencies"), packed.requirements("dependencies", "optionalDependencies")) {
		differ = append(differ, "dependencies")
	}
	if !sameRequirements(sent.requirements("peerDependencies"), packed.requirements("peerDependencies")) {
		differ = append(differ, "peerDependencies")
	}
	if !samePrograms(sent, packed, name) {
		differ = append(differ, "bin")
	}
	return differ
}

// confusable is a manifest by its fields, each of which may have any shape. It
// is no struct: encoding/json does not tell Scripts from scripts, and clients do.
type confusable map[string][]byte

// readConfusable reads an object. Of a key that comes twice the last counts, as
// in JavaScript.
func readConfusable(raw []byte) (confusable, error) {
	if !json.Valid(raw) {
		return nil, registry.Errorf(registry.Invalid, "not JSON")
	}
	fields := confusable{}
	return fields, eachMember(raw, func(key string, _, value []byte) error {
		fields[key] = value
		return nil
	})
}

// text is the value of a field that is a string, else nothing.
func (c confusable) text(key string) string {
	s, _ := stringValue(c[key])
	return s
}

// inner reads a field that is an object; another has no members.
func (c confusable) inner(key string) confusable {
	fields, err := readConfusable(c[key])
	if err != nil {
		return nil
	}
	return fields
}

// sameHook compares an install script. npm adds "node-gyp rebuild" to the
// manifest of a package with a binding.gyp.
func sameHook(hook string, sent, packed confusable) bool {
	a, b := hookText(sent, hook), hookText(packed, hook)
	return a == b || hook == "install" && a == "node-gyp rebuild" && b == "" && hookText(packed, "preinstall") == ""
}

// hookText is a script less the folder that npm cuts off.
func hookText(c confusable, hook string) string {
	script := strings.TrimSpace(c.inner("scripts").text(hook))
	for _, folder := range []string{"node_modules/.bin/", `node_modules\.bin\`} {
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimPrefix(script, "./"), `.\`), folder); ok {
			return rest
		}
	}
	return script
}

// samePrograms compares the programs that installing links. A folder of programs
// is expanded by clients from files that only they have looked at: those must
// lie in it.
func samePrograms(sent, packed confusable, name Name) bool {
	a, b := programs(sent["bin"], name), programs(packed["bin"], name)
	folder := programPath(packed.inner("directories").text("bin"))
	if len(b) > 0 || folder == "" {
		return maps.Equal(a, b)
	}
	for _, file := range a {
		if !strings.HasPrefix(file, folder+"/") {
			return false
		}
	}
	return true
}

// programs normalises bin as npm does: a text is the program called like the
// package; paths lose what leads out of the package.
func programs(bin []byte, name Name) map[string]string {
	all := map[string]string{}
	add := func(program string, value []byte) {
		file, _ := stringValue(value)
		program = path.Base(programPath(program))
		if file = programPath(file); program != "." && file != "" {
			all[program] = file
		}
	}
	if _, ok := stringValue(bin); ok {
		add(name.Base(), bin)
		return all
	}
	var list []json.RawMessage
	if json.Unmarshal(bin, &list) == nil {
		for _, item := range list {
			file, _ := stringValue(item)
			add(file, item)
		}
		return all
	}
	fields, err := readConfusable(bin)
	if err != nil {
		return all
	}
	for program, item := range fields {
		add(program, item)
	}
	return all
}

// programPath is a path within the package, without what npm takes off: ./ and
// whatever leads out.
func programPath(s string) string {
	return strings.TrimPrefix(path.Join("/", strings.NewReplacer(`\`, "/", ":", "/").Replace(s)), "/")
}
