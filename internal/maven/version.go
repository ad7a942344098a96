package maven

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// IsSnapshotVersion tells whether a version, or the directory of one, is a
// snapshot. The resolver looks at the ending alone, and not at the dash before
// it (maven.md 2.3); 1.0-snapshot is a release to it.
func IsSnapshotVersion(version string) bool { return strings.HasSuffix(version, "SNAPSHOT") }

// CompareVersions orders versions as Maven does (its POM reference, "Version
// Order Specification"): negative when a comes before b, zero also for
// different spellings of a version such as 1.0 and 1.0.0.
func CompareVersions(a, b string) int {
	return slices.CompareFunc(parseVersion(a), parseVersion(b), compareParts)
}

// SortVersions sorts by version order and, between spellings of a version, by
// bytes, and takes duplicates out.
func SortVersions(versions []string) []string {
	type keyed struct{ key, version string }
	all := make([]keyed, len(versions))
	for i, v := range versions {
		all[i] = keyed{SortKey(v), v}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.version, b.version))
	})
	for i, k := range all {
		versions[i] = k.version
	}
	return slices.Compact(versions)
}

// partRank says where a part of a version stands among all that could be in its
// place. Words that mean "before the release" come before its end.
type partRank byte

const (
	rankAlpha partRank = iota
	rankBeta
	rankMilestone
	rankCandidate
	rankSnapshot
	rankEnd // nothing follows, or a word that says as much
	rankServicePack
	rankWord
	rankDashNumber
	rankNumber
)

var partRanks = map[string]partRank{
	"alpha": rankAlpha, "beta": rankBeta, "milestone": rankMilestone, "rc": rankCandidate, "cr": rankCandidate, "snapshot": rankSnapshot,
	"": rankEnd, "ga": rankEnd, "final": rankEnd, "release": rankEnd, "sp": rankServicePack,
}

// shortRanks are words of one letter, when a digit follows at once.
var shortRanks = map[string]partRank{"a": rankAlpha, "b": rankBeta, "m": rankMilestone}

// versionPart is a number without leading zeros, or a word in lower case. Of a
// word with a meaning of its own only the rank is kept.
type versionPart struct {
	rank partRank
	text string
}

func compareParts(a, b versionPart) int {
	if c := cmp.Compare(a.rank, b.rank); c != 0 {
		return c
	}
	if a.rank >= rankDashNumber {
		return cmp.Or(cmp.Compare(len(a.text), len(b.text)), strings.Compare(a.text, b.text))
	}
	return strings.Compare(a.text, b.text)
}

// parseVersion gives the parts of a version, ending in one of rankEnd. Parts
// that add nothing are left out: zeros and words such as final at the end of the
// version, and before a dash or a word.
func parseVersion(version string) []versionPart {
	parts := splitVersion(strings.ToLower(version))
	kept := parts[:0]
	for _, p := range parts {
		if p.rank != rankNumber { // here an earlier run of parts ended
			kept = trimNulls(kept)
		}
		kept = append(kept, p)
	}
	return append(trimNulls(kept), versionPart{rank: rankEnd})
}

func trimNulls(parts []versionPart) []versionPart {
	for len(parts) > 0 && parts[len(parts)-1].isNull() {
		parts = parts[:len(parts)-1]
	}
	return parts
}

func (p versionPart) isNull() bool {
	return p.rank == rankEnd || p.rank >= rankDashNumber && p.text == ""
}

// splitVersion cuts a version at dots and dashes, and between digits and
// letters, which counts as a dash. Empty parts are zeros.
func splitVersion(version string) []versionPart {
	const usual = 8 // parts; most versions have fewer
	parts := make([]versionPart, 0, usual)
	dash := false // before the part
	for start := 0; start <= len(version); {
		end := start
		for end < len(version) && version[end] != '.' && version[end] != '-' && isDigit(version[end]) == isDigit(version[start]) {
			end++
		}
		text := version[start:end]
		cut := end < len(version) && version[end] != '.' && version[end] != '-' // between digit and letter
		switch {
		case text == "" || isDigit(text[0]):
			rank := rankNumber
			if dash {
				rank = rankDashNumber
			}
			parts = append(parts, versionPart{rank, strings.TrimLeft(text, "0")})
		default:
			parts = append(parts, wordPart(text, cut))
		}
		dash = cut || end < len(version) && version[end] == '-'
		start = end
		if !cut {
			start++
		}
	}
	return parts
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func wordPart(text string, beforeDigit bool) versionPart {
	if rank, ok := shortRanks[text]; ok && beforeDigit {
		return versionPart{rank: rank}
	}
	if rank, ok := partRanks[text]; ok {
		return versionPart{rank: rank}
	}
	return versionPart{rankWord, text}
}

// SortKey orders versions when compared as bytes, as CompareVersions does: each
// part begins with its rank, numbers carry their count of digits, and words end
// in a byte below all that they may hold. It is printable ASCII for every
// version that may be uploaded.
func SortKey(version string) string {
	var b strings.Builder
	b.Grow(3*len(version) + 16)
	for _, p := range parseVersion(version) {
		b.WriteByte('0' + byte(p.rank))
		switch p.rank {
		case rankNumber, rankDashNumber:
			writeSortNumber(&b, p.text)
		case rankWord:
			for i := range len(p.text) {
				if c := p.text[i]; c <= '"' {
					b.Write([]byte{'"', '@' + c})
				} else {
					b.WriteByte(c)
				}
			}
			b.WriteByte('!')
		}
	}
	return b.String()
}

// writeSortNumber writes a number behind its count of digits, as two hex digits,
// or ff and sixteen more.
func writeSortNumber(b *strings.Builder, digits string) {
	const hexDigits = "0123456789abcdef"
	if n := len(digits); n < 0xff {
		b.WriteByte(hexDigits[n>>4])
		b.WriteByte(hexDigits[n&15])
	} else {
		fmt.Fprintf(b, "ff%016x", n)
	}
	b.WriteString(digits)
}
