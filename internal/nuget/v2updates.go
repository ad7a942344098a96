package nuget

import (
	"slices"
	"strings"

	"pakhus/internal/registry"
)

// maxV2Updates bounds the packages that one call asks updates for.
const maxV2Updates = 500

// v2Installed is a version that a client has, and what it may be replaced by.
type v2Installed struct {
	version    Version
	constraint Range // all when the client sends none
	any        bool
}

// v2Updates is what GetUpdates asks: packages in the versions that a client has.
type v2Updates struct {
	installed   map[string][]v2Installed // by key of the id
	prerelease  bool
	allVersions bool // else the newest one only
}

// newV2Updates is the list of what is newer than what the client has. Target
// frameworks do not count: an update for a framework that is not asked for is
// refused by the client, which knows which frameworks go with which.
func newV2Updates(q *v2Query) (*v2List, error) {
	u := &v2Updates{installed: map[string][]v2Installed{}}
	var err error
	if u.prerelease, _, err = q.truth("includePrerelease"); err != nil {
		return nil, err
	}
	if u.allVersions, _, err = q.truth("includeAllVersions"); err != nil {
		return nil, err
	}
	ids, versions := splitV2(q.text("packageIds")), splitV2(q.text("versions"))
	constraints := splitV2(q.text("versionConstraints"))
	if len(ids) != len(versions) || len(constraints) > len(ids) {
		return nil, registry.Errorf(registry.Invalid, "GetUpdates needs as many versions as packageIds, with bars between them, and no more versionConstraints")
	}
	if len(ids) > maxV2Updates {
		return nil, registry.Errorf(registry.Invalid, "GetUpdates takes at most %d packageIds", maxV2Updates)
	}
	constraints = append(constraints, make([]string, len(ids)-len(constraints))...)
	l := &v2List{named: true, pick: u.pick}
	for i := range ids {
		id, err := ParseID(ids[i])
		if err != nil {
			continue // a package that cannot be here has no updates here
		}
		installed, err := newV2Installed(versions[i], constraints[i])
		if err != nil {
			return nil, err
		}
		u.installed[id.Key()] = append(u.installed[id.Key()], installed)
		l.ids = append(l.ids, id.Key())
	}
	slices.Sort(l.ids)
	l.ids = slices.Compact(l.ids)
	return l, nil
}

func newV2Installed(version, constraint string) (v2Installed, error) {
	v, err := ParseVersion(version)
	if err != nil || constraint == "" {
		return v2Installed{version: v, any: true}, err
	}
	r, err := ParseRange(constraint)
	return v2Installed{version: v, constraint: r}, err
}

func splitV2(text string) []string {
	if text == "" {
		return nil
	}
	parts := strings.Split(text, "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// pick takes the listed versions that replace what the client has.
func (u *v2Updates) pick(idKey string, entries []*v2Entry) []*v2Entry {
	var newer []*v2Entry
	for _, e := range entries {
		if e.listed && (u.prerelease || !e.version.IsPrerelease()) && u.replaces(idKey, e.version) {
			newer = append(newer, e)
		}
	}
	if !u.allVersions && len(newer) > 1 {
		newer = newer[len(newer)-1:]
	}
	return newer
}

func (u *v2Updates) replaces(idKey string, v Version) bool {
	return slices.ContainsFunc(u.installed[idKey], func(i v2Installed) bool {
		return v.Compare(i.version) > 0 && (i.any || i.constraint.Contains(v))
	})
}
