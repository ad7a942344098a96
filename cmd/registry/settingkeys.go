package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// settingKey is one of the settings that projects have and inherit from their
// groups. Their names are GitLab's where GitLab has them (gitlab.md 7.1).
type settingKey struct {
	name     string
	fallback string // what holds where nothing is set
	allowed  string // for people
	check    func(value string) error
}

// settingKeys are all that the formats read by registry.Service.Setting.
var settingKeys = []settingKey{
	boolSetting("maven_duplicates_allowed", false),
	patternSetting("maven_duplicate_exception_regex"),
	choiceSetting("maven_version_policy", "mixed", "mixed", "release", "snapshot"),
	groupsSetting("maven_group_prefixes"),
	boolSetting("maven_strict_uploads", false),
	boolSetting("maven_publish_on_metadata", false),
	choiceSetting("maven_metadata", "generated", "generated", "client"),
	countSetting("maven_snapshot_builds_kept", 10),
	boolSetting("maven_drop_released_snapshots", false),
	boolSetting("maven_prefixes_file", false),
	boolSetting("maven_directory_listing", true),
	boolSetting("nuget_duplicates_allowed", false),
	patternSetting("nuget_duplicate_exception_regex"),
	choiceSetting("nuget_delete_mode", "unlist", "unlist", "delete"),
	boolSetting("nuget_symbol_server_enabled", false),
}

// findSettingKey is Invalid, with the names that there are, for another one.
func findSettingKey(name string) (settingKey, error) {
	i := slices.IndexFunc(settingKeys, func(k settingKey) bool { return k.name == name })
	if i < 0 {
		var names []string
		for _, k := range settingKeys {
			names = append(names, k.name)
		}
		return settingKey{}, registry.Errorf(registry.Invalid, "no setting is called %q; there are %s", name, strings.Join(names, ", "))
	}
	return settingKeys[i], nil
}

func boolSetting(name string, fallback bool) settingKey {
	return choiceSetting(name, strconv.FormatBool(fallback), "true", "false")
}

// choiceSetting takes one of some words.
func choiceSetting(name, fallback string, words ...string) settingKey {
	allowed := strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	return settingKey{name, fallback, allowed, func(value string) error {
		if !slices.Contains(words, value) {
			return registry.Errorf(registry.Invalid, "%s is %s, not %q", name, allowed, value)
		}
		return nil
	}}
}

// maxCount bounds settings that count something.
const maxCount = 1_000_000

// countSetting takes a whole number.
func countSetting(name string, fallback int) settingKey {
	return settingKey{name, strconv.Itoa(fallback), "a number; 0 is no limit", func(value string) error {
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > maxCount {
			return registry.Errorf(registry.Invalid, "%s is a number up to %d, not %q", name, maxCount, value)
		}
		return nil
	}}
}

// maxPattern is GitLab's bound for exception patterns, in characters.
const maxPattern = 255

// patternSetting takes an expression that matches a whole name or version. The
// empty one matches nothing.
func patternSetting(name string) settingKey {
	return settingKey{name, "", "a regular expression (RE2)", func(value string) error {
		if utf8.RuneCountInString(value) > maxPattern {
			return registry.Errorf(registry.Invalid, "%s has at most %d characters", name, maxPattern)
		}
		if _, err := regexp.Compile(value); err != nil {
			return registry.Errorf(registry.Invalid, "%s is no regular expression: %v", name, err)
		}
		return nil
	}}
}

// maxGroups bounds a list of groupIds, in bytes.
const maxGroups = 10_000

// groupID is a groupId of Maven, of which each part is a directory.
var groupID = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// groupsSetting takes a list of groupIds. The empty one names none.
func groupsSetting(name string) settingKey {
	return settingKey{name, "", "groupIds, divided by commas", func(value string) error {
		if len(value) > maxGroups {
			return registry.Errorf(registry.Invalid, "%s has at most %d bytes", name, maxGroups)
		}
		if value == "" {
			return nil
		}
		for group := range strings.SplitSeq(value, ",") {
			if !groupID.MatchString(group) {
				return registry.Errorf(registry.Invalid, "%s is a list such as org.acme,com.acme.web without blanks: %q is no groupId", name, group)
			}
		}
		return nil
	}}
}
