package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// cell is a field as people read it.
type cell struct{ name, value string }

// shown is something that commands print: as JSON with GitLab's field names, or
// by its cells.
type shown interface{ cells() []cell }

// show prints one thing.
func (a *app) show(v shown) error {
	return a.print(v, func(out io.Writer) error {
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		for _, c := range v.cells() {
			if c.value != "" {
				fmt.Fprintf(w, "%s\t%s\n", c.name, c.value)
			}
		}
		return w.Flush()
	})
}

// showAll prints rows of the domain, one a line.
func showAll[T any, V shown](a *app, rows []T, view func(T) V) error {
	views := make([]V, len(rows))
	for i, row := range rows {
		views[i] = view(row)
	}
	return a.print(views, func(out io.Writer) error {
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		for i, v := range views {
			var names, values []string
			for _, c := range v.cells() {
				names = append(names, strings.ToUpper(c.name))
				values = append(values, cmp.Or(c.value, "-"))
			}
			if i == 0 {
				fmt.Fprintln(w, strings.Join(names, "\t"))
			}
			fmt.Fprintln(w, strings.Join(values, "\t"))
		}
		return w.Flush()
	})
}

// stamp is a time as GitLab's API prints it.
type stamp time.Time

// MarshalText prints the time.
func (s stamp) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the time in UTC with milliseconds; nothing for none.
func (s *stamp) String() string {
	if s == nil {
		return ""
	}
	return time.Time(*s).UTC().Format("2006-01-02T15:04:05.000Z")
}

// optional is nil, JSON's null, for the zero time.
func optional(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// optionalID is nil, JSON's null, for 0.
func optionalID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func idText(id *int64) string {
	if id == nil {
		return ""
	}
	return strconv.FormatInt(*id, 10)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
