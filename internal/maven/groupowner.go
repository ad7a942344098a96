package maven

import (
	"context"
	"strings"

	"pakhus/internal/registry"
)

// settingGroups names the groupIds that a project publishes, with all below them,
// divided by commas: org.acme covers org.acme.web and not org.acmeevil. It has
// two sides. A project for which it is set publishes nothing else; and what it
// names anywhere is closed to projects for which nothing is set. So a group owns
// a prefix once it is named there, and a stranger gets a part of it by naming
// that part in his own setting (threats N12).
const settingGroups = "maven_group_prefixes"

// checkOwner refuses to publish what belongs to others. Metadata lies at an
// address that is an artifact's and a group's at once; it may be either's.
func (h *Handler) checkOwner(ctx context.Context, req *request) error {
	settings, err := h.packages.Settings(ctx, req.project)
	if err != nil {
		return err
	}
	mine := settings.Get(settingGroups, "")
	claimed := []string{mine}
	if mine == "" {
		if claimed, err = h.packages.SettingValues(ctx, settingGroups); err != nil {
			return err
		}
	}
	groups := req.path.groups()
	for _, group := range groups {
		if coversGroup(claimed, group) == (mine != "") {
			return nil
		}
	}
	if mine != "" {
		return registry.Errorf(registry.Forbidden, "403 Forbidden - this project publishes no groupId %.60s, only %.60s (%s)", groups[0], mine, settingGroups)
	}
	return registry.Errorf(registry.Forbidden, "403 Forbidden - groupId %.100s belongs to another project or group (%s)", groups[0], settingGroups)
}

// groups are the groupIds that what the path names can belong to.
func (p Path) groups() []string {
	dir, _, nested := cutLast(p.Package)
	switch {
	case p.Kind == KindGroupMetadata || !nested:
		return []string{p.GroupID()}
	case p.Kind == KindArtifactMetadata:
		return []string{strings.ReplaceAll(dir, "/", "."), p.GroupID()}
	}
	return []string{strings.ReplaceAll(dir, "/", ".")}
}

func cutLast(path string) (dir, last string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// coversGroup tells whether one of the prefixes in some values of the setting is
// a groupId or above it. An empty prefix covers nothing.
func coversGroup(values []string, group string) bool {
	for _, value := range values {
		for prefix := range strings.SplitSeq(value, ",") {
			rest, ok := strings.CutPrefix(group, prefix)
			if ok && prefix != "" && (rest == "" || rest[0] == '.') {
				return true
			}
		}
	}
	return false
}
