package nuget

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// Bounds of a version, in characters: of one that is pushed (nuget.md 3.2), and
// of any that is read.
const (
	maxNewVersion = 64
	maxVersion    = 256
)

// Version is a version as NuGet reads it: looser than Semantic Versioning. 1.0,
// 1.0.0.0, 01.0 and 1.0.0+x are one version in several spellings.
type Version struct {
	numbers  [4]int32
	labels   []string // of a prerelease; empty for a release
	meta     string   // without the plus sign
	original string
}

// ParseVersion reads a version (nuget.md 3.2): one to four numbers, perhaps
// prerelease labels, perhaps build metadata. White space around the whole and
// around each number is dropped, as clients do. Anything else is Invalid.
func ParseVersion(s string) (Version, error) {
	if len(s) > maxVersion {
		return Version{}, errLongVersion()
	}
	v := Version{original: strings.TrimSpace(s)}
	core, rest := v.original, ""
	if i := strings.IndexAny(core, "-+"); i >= 0 {
		core, rest = core[:i], core[i:]
	}
	numbers := strings.Split(core, ".")
	if len(numbers) > len(v.numbers) {
		return Version{}, errVersion(s)
	}
	for i, digits := range numbers {
		n, ok := parseVersionNumber(strings.TrimSpace(digits))
		if !ok {
			return Version{}, errVersion(s)
		}
		v.numbers[i] = n
	}
	rest, meta, hasMeta := strings.Cut(rest, "+")
	if hasMeta {
		if v.meta = meta; !areLabels(strings.Split(meta, "."), true) {
			return Version{}, errVersion(s)
		}
	}
	if labels, ok := strings.CutPrefix(rest, "-"); ok {
		if v.labels = strings.Split(labels, "."); !areLabels(v.labels, false) {
			return Version{}, errVersion(s)
		}
	}
	if len(s) > maxVersion/2 && len(v.Full()) > maxVersion { // it grew: what we print must be readable
		return Version{}, errLongVersion()
	}
	return v, nil
}

func errLongVersion() error {
	return registry.Errorf(registry.Invalid, "the version is longer than %d characters", maxVersion)
}

func errVersion(s string) error {
	return registry.Errorf(registry.Invalid, "%q is not a version: it must be like 1.2.3, 1.2.3.4 or 1.2.3-beta.1", s)
}

func parseVersionNumber(s string) (int32, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return int32(n), err == nil
}

// areLabels checks the parts of a prerelease or of build metadata. Only the
// latter may have numbers with leading zeros.
func areLabels(labels []string, leadingZeros bool) bool {
	for _, label := range labels {
		if label == "" || !leadingZeros && len(label) > 1 && label[0] == '0' && isDigits(label) {
			return false
		}
		for i := range len(label) {
			if !isLabelByte(label[i]) {
				return false
			}
		}
	}
	return true
}

func isLabelByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-'
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// String is the normalized version: three numbers, a fourth that is not 0, and
// the labels as they were written.
func (v Version) String() string {
	b := make([]byte, 0, 32)
	for i, n := range v.numbers {
		if i == 3 && n == 0 {
			break
		}
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	for i, label := range v.labels {
		b = append(append(b, "-."[min(i, 1)]), label...)
	}
	return string(b)
}

// Full is the normalized version with its build metadata.
func (v Version) Full() string {
	if v.meta == "" {
		return v.String()
	}
	return v.String() + "+" + v.meta
}

// Original is the version as it was written, without white space around it.
func (v Version) Original() string { return v.original }

// Key is the normalized version in lower case: what makes it unique, and its
// form in addresses.
func (v Version) Key() string { return strings.ToLower(v.String()) }

// IsPrerelease tells whether the version comes before a release.
func (v Version) IsPrerelease() bool { return len(v.labels) > 0 }

// IsSemVer2 tells whether clients from before SemVer 2.0 cannot read the version.
func (v Version) IsSemVer2() bool { return len(v.labels) > 1 || v.meta != "" }

// Compare orders versions (nuget.md 3.3): negative when v comes before o. Case
// and build metadata do not count.
func (v Version) Compare(o Version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], o.numbers[i]); c != 0 {
			return c
		}
	}
	if len(v.labels) == 0 || len(o.labels) == 0 {
		return cmp.Compare(len(o.labels), len(v.labels)) // a release follows its prereleases
	}
	for i := range min(len(v.labels), len(o.labels)) {
		if c := compareLabels(v.labels[i], o.labels[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v.labels), len(o.labels))
}

// compareLabels puts numbers before words.
func compareLabels(a, b string) int {
	na, aIsNumber := labelNumber(a)
	nb, bIsNumber := labelNumber(b)
	switch {
	case aIsNumber && bIsNumber:
		return cmp.Compare(na, nb)
	case aIsNumber:
		return -1
	case bIsNumber:
		return 1
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

// labelNumber reads a label that clients take for a number: whatever .NET reads
// as a signed integer of 32 bits. So -5 is one, and a time of 14 digits is not.
func labelNumber(label string) (int32, bool) {
	n, err := strconv.ParseInt(label, 10, 32)
	return int32(n), err == nil
}

// SortKey orders versions when compared as bytes, as Compare does: numbers have
// a fixed width, and every word ends in a character below all that may follow in
// its place. It is printable ASCII.
func (v Version) SortKey() string {
	var b strings.Builder
	for _, n := range v.numbers {
		fmt.Fprintf(&b, "%08x", n)
	}
	if len(v.labels) == 0 {
		b.WriteByte('~')
		return b.String()
	}
	for _, label := range v.labels {
		if n, ok := labelNumber(label); ok {
			fmt.Fprintf(&b, "0%08x", int64(n)-math.MinInt32)
		} else {
			b.WriteByte('1')
			b.WriteString(strings.ToLower(label))
			b.WriteByte('!')
		}
	}
	return b.String()
}
