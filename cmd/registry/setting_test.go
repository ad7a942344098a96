package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

func TestSettings(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	c.run("group", "create", "acme/team")
	c.run("project", "create", "acme/team/lib", "--id", "42")
	const key = "nuget_duplicates_allowed"
	for _, step := range []struct {
		name  string
		args  []string // nothing: look at the project only
		shows map[string]any
		holds []string // for the project: value, who set it
	}{
		{"default", nil, nil, []string{"false", ""}},
		{
			"set above",
			[]string{"set", "--group", "acme", key, "true"},
			map[string]any{"key": key, "value": "true", "set_by": "acme", "set_here": true},
			[]string{"true", "acme"},
		},
		{
			"set here",
			[]string{"set", "--project", "42", key, "false"},
			map[string]any{"key": key, "value": "false", "set_by": "acme/team/lib", "set_here": true},
			[]string{"false", "acme/team/lib"},
		},
		{
			"set between",
			[]string{"set", "--group", "acme/team", key, "true"},
			map[string]any{"key": key, "value": "true", "set_by": "acme/team", "set_here": true},
			[]string{"false", "acme/team/lib"},
		},
		{
			"unset here",
			[]string{"unset", "--project", "acme/team/lib", key},
			map[string]any{"key": key, "value": "true", "set_by": "acme/team", "set_here": false},
			[]string{"true", "acme/team"},
		},
		{
			"unset again",
			[]string{"unset", "--project", "acme/team/lib", key},
			map[string]any{"key": key, "value": "true", "set_by": "acme/team", "set_here": false},
			[]string{"true", "acme/team"},
		},
		{
			"unset between",
			[]string{"unset", "--group", "acme/team", key},
			map[string]any{"key": key, "value": "true", "set_by": "acme", "set_here": false},
			[]string{"true", "acme"},
		},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.args != nil {
				if diff := cmp.Diff(step.shows, c.object(append([]string{"setting"}, step.args...)...)); diff != "" {
					t.Error(diff)
				}
			}
			list := []string{"setting", "list", "--project", "42"}
			var keys []string
			for _, k := range settingKeys {
				keys = append(keys, k.name)
			}
			c.same(c.list("key", list...), keys...)
			at := slices.Index(keys, key)
			c.same([]string{c.list("value", list...)[at], c.list("set_by", list...)[at]}, step.holds...)

			// What servers read is the same.
			p := c.open()
			project, err := p.packages.Project(t.Context(), "42")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.packages.Setting(t.Context(), project, key, "false"); err != nil || got != step.holds[0] {
				t.Errorf("the service reads %q, %v", got, err)
			}
		})
	}
	if text := c.run("setting", "list", "--group", "acme/team"); !strings.Contains(text, "nuget_symbol_server_enabled      false      default") {
		t.Errorf("setting list printed\n%s", text)
	}
}

func TestSettingsRefused(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"unknown key", []string{"set", "--group", "acme", "npm_duplicates_allowed", "true"}, exitWrong, "there are maven_duplicates_allowed, "},
		{"unknown key to unset", []string{"unset", "--group", "acme", "colour"}, exitWrong, `"colour"`},
		{"no truth value", []string{"set", "--group", "acme", "nuget_duplicates_allowed", "yes"}, exitWrong, "true or false"},
		{"no number", []string{"set", "--group", "acme", "maven_snapshot_builds_kept", "ten"}, exitWrong, "a number"},
		{"no pattern", []string{"set", "--group", "acme", "nuget_duplicate_exception_regex", "a("}, exitWrong, "regular expression"},
		{"pattern that closes early", []string{"set", "--group", "acme", "nuget_duplicate_exception_regex", "a)|(b"}, exitWrong, "regular expression"},
		{"long pattern", []string{"set", "--group", "acme", "nuget_duplicate_exception_regex", strings.Repeat("é", 256)}, exitWrong, "255"},
		{"longest pattern", []string{"set", "--group", "acme", "nuget_duplicate_exception_regex", strings.Repeat("é", 255)}, exitDone, ""},
		{"neither", []string{"list"}, exitWrong, "--project"},
		{"both", []string{"list", "--project", "1", "--group", "acme"}, exitWrong, "together"},
		{"groupIds", []string{"set", "--group", "acme", "maven_group_prefixes", "org.acme,com.acme.web-2"}, exitDone, ""},
		{"no groupIds", []string{"set", "--group", "acme", "maven_group_prefixes", ""}, exitDone, ""},
		{"a pattern of groupIds", []string{"set", "--group", "acme", "maven_group_prefixes", "org.acme.*"}, exitWrong, `"org.acme.*" is no groupId`},
		{"blanks between groupIds", []string{"set", "--group", "acme", "maven_group_prefixes", "org.acme, com.acme"}, exitWrong, "without blanks"},
		{"a path", []string{"set", "--group", "acme", "maven_group_prefixes", "org/acme"}, exitWrong, "no groupId"},
		{"a groupId that ends early", []string{"set", "--group", "acme", "maven_group_prefixes", "org.acme."}, exitWrong, "no groupId"},
		{"absent group", []string{"set", "--group", "beta", "nuget_duplicates_allowed", "true"}, exitFailed, "Not Found"},
		{"absent project", []string{"list", "--project", "9"}, exitFailed, "Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, _, messages := c.try("", append([]string{"setting"}, tt.args...)...)
			if status != tt.status || !strings.Contains(messages, tt.says) {
				t.Errorf("status %d, said %q; want %d and %q", status, messages, tt.status, tt.says)
			}
		})
	}
}

// Every default is a value that could be set.
func TestSettingDefaults(t *testing.T) {
	for _, k := range settingKeys {
		if err := k.check(k.fallback); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
		if err := k.check("(?"); registry.KindOf(err) != registry.Invalid {
			t.Errorf("%s takes nonsense: %v", k.name, err)
		}
	}
}
