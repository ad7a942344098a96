package registry

import (
	"context"
	"maps"
	"strconv"
)

// Settings are the values that hold for a project or a group, by key: its own,
// else those of the nearest group above it. They are shared: do not change them.
type Settings map[string]string

// Get gives a value, or what fallback says where nothing is set.
func (s Settings) Get(key, fallback string) string {
	if v, ok := s[key]; ok {
		return v
	}
	return fallback
}

// Settings gives the values that hold for a project. They are one look-up in
// memory, however deep the project lies.
func (s *Service) Settings(ctx context.Context, p Project) (Settings, error) {
	return s.settings(ctx, "settings/project/"+strconv.FormatInt(p.ID, 10), Span{ProjectID: p.ID})
}

// GroupSettings gives the values that hold for a group.
func (s *Service) GroupSettings(ctx context.Context, g Group) (Settings, error) {
	return s.settings(ctx, "settings/group/"+strconv.FormatInt(g.ID, 10), Span{GroupID: g.ID})
}

// Setting gives one value that holds for a project, or what fallback says.
func (s *Service) Setting(ctx context.Context, p Project, key, fallback string) (string, error) {
	all, err := s.Settings(ctx, p)
	return all.Get(key, fallback), err
}

func (s *Service) settings(ctx context.Context, key string, at Span) (Settings, error) {
	if entry, ok := s.namespace.Kept(key); ok {
		return entry.settings, nil
	}
	entry, err := s.namespace.Get(ctx, key, func(ctx context.Context) (namespaceEntry, error) {
		all, err := s.mergeSettings(ctx, at)
		return namespaceEntry{settings: all}, err
	})
	return entry.settings, err
}

// mergeSettings merges what is set from the root down. It asks anew what lies
// above: who asks for settings may know a project from before it was moved.
func (s *Service) mergeSettings(ctx context.Context, at Span) (Settings, error) {
	var p Project
	var g Group
	var err error
	if at.ProjectID != 0 {
		p, err = s.store.FindProject(ctx, at.ProjectID)
	} else {
		g, err = s.store.FindGroup(ctx, at.GroupID)
	}
	if err != nil {
		return nil, err
	}
	all := Settings{}
	for _, id := range append(p.Ancestors, g.Ancestors...) {
		set, err := s.store.FindSettings(ctx, Span{GroupID: id})
		if err != nil {
			return nil, err
		}
		maps.Copy(all, set)
	}
	if at.ProjectID != 0 {
		set, err := s.store.FindSettings(ctx, at)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, set)
	}
	return all, nil
}

// SettingValues gives the values that a key has anywhere, each once: what a
// project or group claims for itself, others have to know.
func (s *Service) SettingValues(ctx context.Context, key string) ([]string, error) {
	name := "setting/" + key
	if entry, ok := s.namespace.Kept(name); ok {
		return entry.values, nil
	}
	entry, err := s.namespace.Get(ctx, name, func(ctx context.Context) (namespaceEntry, error) {
		values, err := s.store.ListSettingValues(ctx, key)
		return namespaceEntry{values: values}, err
	})
	return entry.values, err
}

// SaveSetting sets a key for a project or group; nil removes it.
func (s *Service) SaveSetting(ctx context.Context, at Span, key string, value *string, by Actor) error {
	return s.store.SaveSetting(ctx, at, key, value, by)
}
