package registry

import "time"

// Group holds projects and groups. Its path is unique without regard to case.
type Group struct {
	ID          int64
	ParentID    int64 // 0 for a top-level group
	Name        string
	Path        string // last segment
	FullPath    string
	Description string
	Visibility  Visibility
	// Ancestors are the ids of the groups above, root first, and its own last.
	Ancestors []int64
	CreatedAt time.Time
}

// Project owns packages and tokens.
type Project struct {
	ID          int64
	GroupID     int64
	Name        string
	Path        string // last segment
	FullPath    string
	Description string
	Visibility  Visibility
	// Ancestors are the ids of the groups that hold the project, root first.
	Ancestors []int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Within tells whether the project lies in the group, at any depth.
func (p Project) Within(groupID int64) bool {
	for _, id := range p.Ancestors {
		if id == groupID {
			return true
		}
	}
	return false
}

// Readers is the set of projects that an identity may read, in a form that a
// query can use. The zero value reads nothing.
type Readers struct {
	All      bool    // administrators
	Public   bool    // public projects
	Internal bool    // internal projects
	Groups   []int64 // every project below these groups
	Projects []int64
}

// Span is a part of the namespace tree: one project, the projects below a
// group, or, as the zero value, all of them.
type Span struct {
	ProjectID int64
	GroupID   int64
}

// Page asks for one page of a list.
type Page struct {
	Number int // from 1
	Size   int // rows
}

// Offset is the number of rows before the page.
func (p Page) Offset() int { return (p.Number - 1) * p.Size }
