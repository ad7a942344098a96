package nuget

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// maxFramework bounds a target framework moniker, in bytes. Portable profiles
// list several frameworks.
const maxFramework = 256

// Framework is a target framework, such as net8.0 or .NETStandard,Version=v2.0.
// The zero Framework is any.
type Framework struct {
	name    *frameworkName // nil: any
	version frameworkVersion
	// profile is a subset of the framework, such as Client. From net5.0 on it is
	// the platform, such as windows7.0, and of a portable library the frameworks
	// that it runs on.
	profile string
}

// ParseFramework reads a target framework in each form that clients read: the
// short one of folders (net48, net8.0-windows10.0.19041, portable-net45+win8),
// the long one (.NETFramework,Version=v4.8,Profile=Client) and what old packers
// mixed of both (.NETFramework4.8). An empty text is any framework. What clients
// would call unsupported is Invalid.
func ParseFramework(s string) (Framework, error) {
	if len(s) > maxFramework {
		return Framework{}, registry.Errorf(registry.Invalid, "the target framework is longer than %d characters", maxFramework)
	}
	text := strings.TrimSpace(s)
	if isAnyFramework(text) {
		return Framework{}, nil
	}
	var f Framework
	var ok bool
	if strings.Contains(text, ",") {
		f, ok = parseLongFramework(text)
	} else {
		f, ok = parseFolder(text)
	}
	if !ok {
		return Framework{}, registry.Errorf(registry.Invalid, "%q is not a target framework that clients know", s)
	}
	return f, nil
}

func isAnyFramework(s string) bool {
	return s == "" || strings.EqualFold(s, "any") || strings.EqualFold(s, "agnostic")
}

// parseLongFramework reads an identifier with Version= and Profile= in any order.
func parseLongFramework(s string) (Framework, bool) {
	identifier, rest, _ := strings.Cut(s, ",")
	identifier = strings.TrimSpace(identifier)
	if isAnyFramework(identifier) && identifier != "" {
		return Framework{}, true // clients ignore the rest
	}
	f := Framework{name: findFramework(identifier)}
	if f.name == nil {
		return Framework{}, false
	}
	var profile string
	for part := range strings.SplitSeq(rest, ",") {
		key, value, hasValue := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case hasValue && strings.EqualFold(key, "Version"):
			value = strings.TrimPrefix(value, "v")
			if !strings.Contains(value, ".") {
				value += ".0"
			}
			var ok bool
			if f.version, ok = parseFrameworkVersion(value); !ok {
				return Framework{}, false
			}
		case hasValue && strings.EqualFold(key, "Profile"):
			profile = value
		}
	}
	return f.withProfile(profile)
}

// parseFolder reads an identifier of letters and dots, a version of digits and
// dots, and after a hyphen a profile.
func parseFolder(s string) (Framework, bool) {
	if strings.Contains(s, "%") {
		unescaped, err := url.PathUnescape(s)
		if err != nil {
			return Framework{}, false
		}
		s = unescaped
	}
	if version, ok := bareFrameworks[s]; ok {
		s = "net" + version
	}
	identifier, rest := span(s, isLetterOrDot)
	digits, rest := span(rest, isDigitOrDot)
	profile, hasProfile := strings.CutPrefix(rest, "-")
	if rest != "" && !hasProfile || hasProfile && profile == "" || strings.ContainsFunc(profile, isNoProfileRune) {
		return Framework{}, false
	}
	f := Framework{name: findFramework(identifier)}
	if f.name == nil {
		return Framework{}, false
	}
	var ok bool
	if f.version, ok = parseFolderVersion(digits); !ok {
		return Framework{}, false
	}
	return f.withProfile(profile)
}

// bareFrameworks are folder names of the first packages: versions of .NET
// Framework without its name.
var bareFrameworks = map[string]string{
	"45": "45", "4.5": "45", "40": "40", "4.0": "40", "4": "40",
	"35": "35", "3.5": "35", "20": "20", "2": "20", "2.0": "20",
}

// withProfile adds what stands behind the version, by the rules of the framework.
func (f Framework) withProfile(profile string) (Framework, bool) {
	if strings.ContainsFunc(profile, isNoProfileRune) {
		return Framework{}, false
	}
	if f.name.folder == "net" && f.version[0] >= 5 { // .NET 5 is .NET Core by another name
		f.name = findFramework("netcoreapp")
	}
	switch {
	case f.name.folder == "portable":
		list, ok := portableProfile(profile)
		f.profile = list
		return f, ok && f.version[0] < 5
	case f.isNet5():
		platform, ok := normalizePlatform(profile)
		f.profile = platform
		return f, ok
	}
	f.profile = strings.ToLower(profile)
	if short, ok := f.name.profiles[f.profile]; ok {
		f.profile = short
	}
	return f, true
}

// isNet5 tells whether the framework is net5.0 or later, which names platforms
// in the place of profiles.
func (f Framework) isNet5() bool {
	return f.name != nil && f.name.folder == "netcoreapp" && f.version[0] >= 5
}

// normalizePlatform reads an operating system and its version, such as
// windows10.0.19041.0. An empty text is none.
func normalizePlatform(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	system, rest := span(s, isLetterOrDot)
	digits, rest := span(rest, isDigitOrDot)
	if system == "" || rest != "" {
		return "", false
	}
	system = strings.ToLower(system)
	if digits == "" {
		return system, true
	}
	if !strings.Contains(digits, ".") { // unlike net48: ios15 is ios15.0
		digits += ".0"
	}
	version, ok := parseFrameworkVersion(digits)
	if version == (frameworkVersion{}) {
		return system, ok
	}
	return system + version.dotted(2), ok
}

// portableProfile gives the frameworks of a portable library in the form that
// clients write: sorted, joined by plus signs.
func portableProfile(profile string) (string, bool) {
	if number, ok := cutPrefixFold(profile, "Profile"); ok {
		list, ok := portableProfiles[number]
		return list, ok
	}
	var names []string
	for part := range strings.SplitSeq(profile, "+") {
		if part == "" {
			continue
		}
		f, ok := parseFolder(part)
		if !ok || f.name.folder == "portable" || f.profile != "" {
			return "", false
		}
		names = append(names, f.ShortName())
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "+"), len(names) > 0
}

// IsAny tells whether the framework is any: documents leave it out then.
func (f Framework) IsAny() bool { return f.name == nil }

// ShortName is the framework as clients write it into folder names, such as
// net48. It is empty for any framework.
func (f Framework) ShortName() string {
	if f.name == nil {
		return ""
	}
	name := f.name.folder
	if f.isNet5() {
		name = "net"
	}
	name += f.versionText()
	if f.profile != "" {
		name += "-" + f.profile
	}
	return name
}

func (f Framework) versionText() string {
	v := f.version
	if v == (frameworkVersion{}) {
		return ""
	}
	if f.name.dotted {
		return v.dotted(2)
	}
	parts := 2
	if f.name.oneDigit {
		parts = 1
	}
	if slices.Max(v[:]) > 9 { // without dots they would be read digit by digit
		return v.dotted(2)
	}
	return strings.ReplaceAll(v.dotted(parts), ".", "")
}

// String is the short name, or any.
func (f Framework) String() string { return cmp.Or(f.ShortName(), "any") }

// frameworkVersion is a version with as many as four numbers.
type frameworkVersion [4]int32

// parseFrameworkVersion reads two to four numbers with dots between them.
func parseFrameworkVersion(s string) (frameworkVersion, bool) {
	var v frameworkVersion
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		n, ok := parseVersionNumber(part)
		if !ok {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// parseFolderVersion reads a version as folders have it: with dots, or a digit
// for each number. Clients take no more than four digits.
func parseFolderVersion(s string) (frameworkVersion, bool) {
	if s == "" {
		return frameworkVersion{}, true
	}
	if strings.Contains(s, ".") {
		return parseFrameworkVersion(s)
	}
	var v frameworkVersion
	for i := range min(len(s), len(v)) {
		v[i] = int32(s[i] - '0')
	}
	return v, true
}

// dotted prints at least so many numbers, and more up to the last that is not 0.
func (v frameworkVersion) dotted(least int) string {
	count := len(v)
	for count > least && v[count-1] == 0 {
		count--
	}
	parts := make([]string, count)
	for i := range parts {
		parts[i] = strconv.Itoa(int(v[i]))
	}
	return strings.Join(parts, ".")
}

// span cuts the longest prefix off that holds only bytes of a kind.
func span(s string, of func(byte) bool) (prefix, rest string) {
	n := 0
	for n < len(s) && of(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func isLetterOrDot(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '.'
}

func isDigitOrDot(c byte) bool { return '0' <= c && c <= '9' || c == '.' }

// isNoProfileRune is for the characters that a profile may not hold.
func isNoProfileRune(r rune) bool {
	return r > 127 || !isLabelByte(byte(r)) && r != '.' && r != '+'
}
