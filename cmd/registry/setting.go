package main

import (
	"context"

	"pakhus/internal/registry"
)

// settingCommand has the commands about settings of projects and groups.
type settingCommand struct {
	Set   settingSetCommand   `cmd:"" help:"Set a value for a project, or for all projects below a group."`
	Unset settingUnsetCommand `cmd:"" help:"Remove a value: what the groups above say holds again."`
	List  settingListCommand  `cmd:"" help:"List all settings with what holds, and who set it."`
}

// settingHolder names what has the setting.
type settingHolder struct {
	Project string `help:"Project: id or path." placeholder:"P" xor:"holder" required:""`
	Group   string `help:"Group, with all projects below it: id or path." placeholder:"G" xor:"holder" required:""`
}

// settingView is a value that holds, and the path of the project or group that
// set it; the empty path is the default.
type settingView struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	SetBy  string `json:"set_by"`
	IsHere bool   `json:"set_here"`
}

func (v settingView) cells() []cell {
	from := v.SetBy
	if from == "" {
		from = "default"
	}
	return []cell{{"key", v.Key}, {"value", v.Value}, {"set by", from}}
}

type settingSetCommand struct {
	settingHolder `embed:""`
	Key           string `arg:"" help:"Name of the setting; setting list tells all."`
	Value         string `arg:"" help:"Its value."`
}

// Validate refuses unknown keys, and values that their formats could not read.
func (c *settingSetCommand) Validate() error {
	key, err := findSettingKey(c.Key)
	if err != nil {
		return err
	}
	return key.check(c.Value)
}

// Run saves the value.
func (c *settingSetCommand) Run(ctx context.Context, a *app) error {
	return c.save(ctx, a, c.Key, &c.Value)
}

type settingUnsetCommand struct {
	settingHolder `embed:""`
	Key           string `arg:"" help:"Name of the setting."`
}

// Validate refuses unknown keys.
func (c *settingUnsetCommand) Validate() error {
	_, err := findSettingKey(c.Key)
	return err
}

// Run removes the value.
func (c *settingUnsetCommand) Run(ctx context.Context, a *app) error {
	return c.save(ctx, a, c.Key, nil)
}

// save saves a value, or removes it when nil, and shows what holds then.
func (h settingHolder) save(ctx context.Context, a *app, name string, value *string) error {
	key, err := findSettingKey(name)
	if err != nil {
		return err
	}
	return a.with(ctx, func(s *parts) error {
		at, err := s.span(ctx, h.Project, h.Group)
		if err != nil {
			return err
		}
		if err := s.packages.SaveSetting(ctx, at, name, value, a.actor()); err != nil {
			return err
		}
		levels, err := s.settingLevels(ctx, h)
		if err != nil {
			return err
		}
		return a.show(newSettingView(key, levels))
	})
}

type settingListCommand struct {
	settingHolder `embed:""`
}

// Run lists the settings.
func (c *settingListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		levels, err := s.settingLevels(ctx, c.settingHolder)
		if err != nil {
			return err
		}
		return showAll(a, settingKeys, func(k settingKey) settingView { return newSettingView(k, levels) })
	})
}

// settingLevel is a project or group and what is set there itself.
type settingLevel struct {
	span   registry.Span
	path   string
	values map[string]string
}

// settingLevels are those whose values count for a holder, its own first.
func (s *parts) settingLevels(ctx context.Context, h settingHolder) ([]settingLevel, error) {
	var levels []settingLevel
	var groups []int64
	if h.Project != "" {
		p, err := s.packages.Project(ctx, h.Project)
		if err != nil {
			return nil, err
		}
		levels = append(levels, settingLevel{span: registry.Span{ProjectID: p.ID}, path: p.FullPath})
		groups = p.Ancestors
	} else {
		g, err := s.packages.Group(ctx, h.Group)
		if err != nil {
			return nil, err
		}
		groups = g.Ancestors
	}
	for i := len(groups) - 1; i >= 0; i-- {
		g, err := s.store.FindGroup(ctx, groups[i])
		if err != nil {
			return nil, err
		}
		levels = append(levels, settingLevel{span: registry.Span{GroupID: g.ID}, path: g.FullPath})
	}
	for i := range levels {
		values, err := s.store.FindSettings(ctx, levels[i].span)
		if err != nil {
			return nil, err
		}
		levels[i].values = values
	}
	return levels, nil
}

// newSettingView looks for the nearest value, as registry.Service.Setting does.
func newSettingView(k settingKey, levels []settingLevel) settingView {
	for i, level := range levels {
		if value, ok := level.values[k.name]; ok {
			return settingView{Key: k.name, Value: value, SetBy: level.path, IsHere: i == 0}
		}
	}
	return settingView{Key: k.name, Value: k.fallback}
}
