package nuget

import (
	"context"
	"regexp"

	"pakhus/internal/registry"
)

// The settings of projects and groups that this format reads. The first three
// are GitLab's (gitlab.md 7.1).
const (
	settingDuplicates   = "nuget_duplicates_allowed"        // true or false
	settingExceptions   = "nuget_duplicate_exception_regex" // RE2 over a whole id or version
	settingSymbolServer = "nuget_symbol_server_enabled"     // true or false
	settingDelete       = "nuget_delete_mode"               // unlist or delete
)

// mayReplace tells whether a push may take the place of a version that exists.
// To what the pattern matches, the opposite applies.
func (h *Handler) mayReplace(ctx context.Context, project registry.Project, id ID, version Version) (bool, error) {
	allowed, err := h.packages.Setting(ctx, project, settingDuplicates, "false")
	if err != nil {
		return false, err
	}
	pattern, err := h.packages.Setting(ctx, project, settingExceptions, "")
	if err != nil || pattern == "" {
		return err == nil && allowed == "true", err
	}
	exceptions, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil { // it was checked when it was set
		return false, registry.Wrapf(registry.Internal, err, "setting %s", settingExceptions)
	}
	excepted := exceptions.MatchString(id.String()) || exceptions.MatchString(version.String())
	return excepted != (allowed == "true"), nil
}
