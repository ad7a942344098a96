package store

import (
	"strings"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

// condition is a piece of a WHERE clause.
type condition struct {
	sql  string
	args []any
}

func (c condition) to(db *gorm.DB) *gorm.DB { return db.Where(c.sql, c.args...) }

// belowAny selects the ids of projects below any of the groups a. The groups
// come first, so that each costs one range of the index on ancestors.
const belowAny = `SELECT d.id FROM groups a JOIN projects d
	ON d.ancestors >= a.ancestors AND d.ancestors < substr(a.ancestors, 1, length(a.ancestors) - 1) || '0'
	WHERE a.id IN ?`

// readable is the condition that a project, known to the query as alias, may be
// read. It denies unless something allows.
func readable(r registry.Readers, alias string) condition {
	if r.All {
		return condition{sql: "1 = 1"}
	}
	var parts []string
	var args []any
	add := func(sql string, arg any) {
		parts, args = append(parts, sql), append(args, arg)
	}
	if r.Public {
		add(alias+".visibility = ?", registry.Public)
	}
	if r.Internal {
		add(alias+".visibility = ?", registry.InternalOnly)
	}
	if len(r.Groups) > 0 {
		add(alias+".id IN ("+belowAny+")", r.Groups)
	}
	if len(r.Projects) > 0 {
		add(alias+".id IN ?", r.Projects)
	}
	if len(parts) == 0 {
		return condition{sql: "1 = 0"}
	}
	return condition{sql: "(" + strings.Join(parts, " OR ") + ")", args: args}
}

// within is the condition that a project, known as alias, lies in the span.
func within(span registry.Span, alias string) condition {
	switch {
	case span.ProjectID != 0:
		return condition{sql: alias + ".id = ?", args: []any{span.ProjectID}}
	case span.GroupID != 0:
		return condition{sql: alias + ".id IN (" + belowAny + ")", args: []any{[]int64{span.GroupID}}}
	}
	return condition{sql: "1 = 1"}
}

// holds is the condition that one of the columns has text as a part, without
// regard to case. It compares with instr and strpos, to which no character is
// special, where LIKE would take % and _ as wildcards. Both databases fold ASCII
// letters only.
func (s *Store) holds(text string, columns ...string) condition {
	find := "instr"
	if s.dialect == postgresDialect {
		find = "strpos"
	}
	var parts []string
	var args []any
	for _, column := range columns {
		parts = append(parts, find+"(lower("+column+"), ?) > 0")
		args = append(args, asciiLower(text))
	}
	return condition{sql: "(" + strings.Join(parts, " OR ") + ")", args: args}
}

func asciiLower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
