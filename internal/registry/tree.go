package registry

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// namespaceEntry is what a reference turned out to name; absent is remembered
// as well.
type namespaceEntry struct {
	group    Group
	project  Project
	settings Settings
	values   []string
	found    bool
	moved    bool // the project had this path, and has another now
}

// Project gives the project that a reference names: an id, when it is all
// digits, or else a full path (gitlab.md 0.4). NotFound when there is none: for
// a path that the project has no more, MovedTo tells it of the error.
func (s *Service) Project(ctx context.Context, ref string) (Project, error) {
	key := "project/" + ref
	if entry, ok := s.namespace.Kept(key); ok && entry.found {
		return entry.project, nil
	}
	entry, err := s.namespace.Get(ctx, key, func(ctx context.Context) (namespaceEntry, error) {
		return s.findProject(ctx, ref)
	})
	switch {
	case err != nil:
		return Project{}, err
	case entry.found:
		return entry.project, nil
	case entry.moved:
		return Project{}, movedError{Errorf(NotFound, "404 Project Not Found"), entry.project}
	}
	return Project{}, Errorf(NotFound, "404 Project Not Found")
}

func (s *Service) findProject(ctx context.Context, ref string) (namespaceEntry, error) {
	if id, ok := parseID(ref); ok {
		p, err := s.store.FindProject(ctx, id)
		return namespaceEntry{project: p, found: err == nil}, unlessNotFound(err)
	}
	p, err := s.store.FindProjectByPath(ctx, ref)
	if err == nil || KindOf(err) != NotFound {
		return namespaceEntry{project: p, found: err == nil}, err
	}
	p, err = s.store.FindMovedProject(ctx, ref)
	return namespaceEntry{project: p, moved: err == nil}, unlessNotFound(err)
}

// movedError is NotFound, like that for a path that never was: whoever does not
// ask MovedTo gives nothing away.
type movedError struct {
	error
	to Project
}

func (e movedError) Unwrap() error { return e.error }

// MovedTo tells of a NotFound of Project where the project went, if it was moved
// away from the path. Who may not see that project must not notice.
func MovedTo(err error) (Project, bool) {
	var moved movedError
	ok := errors.As(err, &moved)
	return moved.to, ok
}

// ProjectByID gives a project by its id.
func (s *Service) ProjectByID(ctx context.Context, id int64) (Project, error) {
	return s.Project(ctx, strconv.FormatInt(id, 10))
}

// Group gives the group that a reference names, as Project does.
func (s *Service) Group(ctx context.Context, ref string) (Group, error) {
	entry, err := s.namespace.Get(ctx, "group/"+ref, func(ctx context.Context) (namespaceEntry, error) {
		var g Group
		var err error
		if id, ok := parseID(ref); ok {
			g, err = s.store.FindGroup(ctx, id)
		} else {
			g, err = s.store.FindGroupByPath(ctx, ref)
		}
		return namespaceEntry{group: g, found: err == nil}, unlessNotFound(err)
	})
	if err == nil && !entry.found {
		err = Errorf(NotFound, "404 Group Not Found")
	}
	return entry.group, err
}

func parseID(ref string) (int64, bool) {
	if ref == "" || strings.Trim(ref, "0123456789") != "" {
		return 0, false
	}
	id, err := strconv.ParseInt(ref, 10, 64)
	return id, err == nil
}

func unlessNotFound(err error) error {
	if KindOf(err) == NotFound {
		return nil
	}
	return err
}

// pathSegment is what GitLab allows in the path of a group or project.
var pathSegment = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}$`)

// topLevelTaken are the first segments of our own addresses.
var topLevelTaken = map[string]bool{"api": true, "metrics": true, "static": true}

func checkPath(path string, top bool) error {
	lower := strings.ToLower(path)
	switch {
	case !pathSegment.MatchString(path), strings.HasSuffix(lower, ".git"), strings.HasSuffix(lower, ".atom"), strings.HasSuffix(lower, "."), strings.Contains(lower, ".."):
		return Errorf(Invalid, "path %q: letters, digits, '_', '-' and '.' only; it may not begin with '-' nor end with '.', '.git' or '.atom'", path)
	case top && (topLevelTaken[lower] || strings.Trim(path, "0123456789") == ""):
		return Errorf(Invalid, "path %q is taken by the registry itself, or could be mistaken for an id", path)
	}
	return nil
}

// SplitPath splits a full path into the parent's and the last segment.
func SplitPath(fullPath string) (parent, last string) {
	if i := strings.LastIndexByte(fullPath, '/'); i >= 0 {
		return fullPath[:i], fullPath[i+1:]
	}
	return "", fullPath
}

// NewGroup says what group to make.
type NewGroup struct {
	ID                int64 // chosen id, 0 for the next free one
	FullPath          string
	Name, Description string // the path's last segment when there is no name
	Visibility        Visibility
}

// CreateGroup makes a group below an existing one, or at the top. A taken path
// or id is Conflict.
func (s *Service) CreateGroup(ctx context.Context, n NewGroup, by Actor) (Group, error) {
	parentPath, path := SplitPath(n.FullPath)
	if err := checkPath(path, parentPath == ""); err != nil {
		return Group{}, err
	}
	g := Group{ID: n.ID, Name: n.Name, Path: path, FullPath: n.FullPath, Description: n.Description, Visibility: n.Visibility, CreatedAt: s.Now()}
	if parentPath != "" {
		parent, err := s.store.FindGroupByPath(ctx, parentPath)
		if err != nil {
			return Group{}, err
		}
		g.ParentID, g.Ancestors, g.FullPath = parent.ID, parent.Ancestors, parent.FullPath+"/"+path
	}
	if g.Name == "" {
		g.Name = path
	}
	if g.Visibility == "" {
		g.Visibility = Private
	}
	return s.store.CreateGroup(ctx, g, by)
}

// ListGroups lists groups by full path.
func (s *Service) ListGroups(ctx context.Context, f GroupFilter, page Page) ([]Group, int64, error) {
	return s.store.ListGroups(ctx, f, page)
}

// DeleteGroup removes an empty group; one that holds anything is Conflict.
func (s *Service) DeleteGroup(ctx context.Context, id int64, by Actor) error {
	return s.store.DeleteGroup(ctx, id, by)
}

// NewProject says what project to make.
type NewProject struct {
	ID                int64 // chosen id, 0 for the next free one
	FullPath          string
	Name, Description string // the path's last segment when there is no name
	Visibility        Visibility
}

// CreateProject makes a project in an existing group. A taken path or id is
// Conflict.
func (s *Service) CreateProject(ctx context.Context, n NewProject, by Actor) (Project, error) {
	p, err := s.place(ctx, n.FullPath)
	if err != nil {
		return Project{}, err
	}
	p.ID, p.Name, p.Description, p.Visibility = n.ID, n.Name, n.Description, n.Visibility
	p.CreatedAt, p.UpdatedAt = s.Now(), s.Now()
	if p.Name == "" {
		p.Name = p.Path
	}
	if p.Visibility == "" {
		p.Visibility = Private
	}
	return s.store.CreateProject(ctx, p, by)
}

// place finds the group of a project's full path.
func (s *Service) place(ctx context.Context, fullPath string) (Project, error) {
	groupPath, path := SplitPath(fullPath)
	if groupPath == "" {
		return Project{}, Errorf(Invalid, "a project's path is GROUP/NAME")
	}
	if err := checkPath(path, false); err != nil {
		return Project{}, err
	}
	group, err := s.store.FindGroupByPath(ctx, groupPath)
	if err != nil {
		return Project{}, err
	}
	return Project{GroupID: group.ID, Path: path, FullPath: group.FullPath + "/" + path, Ancestors: group.Ancestors}, nil
}

// ListProjects lists projects by full path.
func (s *Service) ListProjects(ctx context.Context, f ProjectFilter, page Page) ([]Project, int64, error) {
	return s.store.ListProjects(ctx, f, page)
}

// UpdateProject stores a project's name, description and visibility.
func (s *Service) UpdateProject(ctx context.Context, p Project, by Actor) (Project, error) {
	p.UpdatedAt = s.Now()
	return s.store.UpdateProject(ctx, p, by)
}

// MoveProject gives a project another full path, in an existing group.
func (s *Service) MoveProject(ctx context.Context, id int64, fullPath string, by Actor) (Project, error) {
	p, err := s.place(ctx, fullPath)
	if err != nil {
		return Project{}, err
	}
	p.UpdatedAt = s.Now()
	return s.store.MoveProject(ctx, id, p, by)
}

// DeleteProject removes a project with its packages, tokens and members.
func (s *Service) DeleteProject(ctx context.Context, id int64, by Actor) error {
	return s.store.DeleteProject(ctx, id, by)
}
