package maven

import (
	"html"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxListing bounds the entries of a listing.
const maxListing = 10_000

// ListingEntry is a direct child of a directory.
type ListingEntry struct {
	Name      string // without a slash
	Directory bool
	Size      int64     // bytes; negative when not told
	Modified  time.Time // zero when not told
}

// SortListing sorts as listings show entries: directories first, each by name,
// and takes entries of one name and kind out but the first.
func SortListing(entries []ListingEntry) []ListingEntry {
	slices.SortStableFunc(entries, func(a, b ListingEntry) int {
		switch {
		case a.Directory && !b.Directory:
			return -1
		case b.Directory && !a.Directory:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return slices.CompactFunc(entries, func(a, b ListingEntry) bool { return a.Directory == b.Directory && a.Name == b.Name })
}

// AppendListing appends the page of a directory. Gradle, Ivy and coursier read
// the links where a repository has no metadata: each is relative, is escaped, and
// has its own name as its text, uncut (maven.md 12). A page holds at most 10,000
// entries; when it holds fewer than there are, it says so.
func AppendListing(b []byte, title string, root bool, entries []ListingEntry, truncated bool) []byte {
	title = html.EscapeString(title)
	b = append(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>"...)
	b = append(append(b, title...), "</title>\n</head>\n<body>\n<h1>"...)
	b = append(append(b, title...), "</h1>\n<pre>\n"...)
	if !root {
		b = append(b, "<a href=\"../\">../</a>\n"...)
	}
	for _, e := range entries[:min(len(entries), maxListing)] {
		b = appendEntry(b, e)
	}
	if truncated || len(entries) > maxListing {
		b = append(b, "There are more entries, which are not shown.\n"...)
	}
	return append(b, "</pre>\n</body>\n</html>\n"...)
}

// Widths of the columns, in characters. A longer name pushes the others aside.
const (
	nameWidth = 60
	sizeWidth = 12
)

func appendEntry(b []byte, e ListingEntry) []byte {
	name, href := e.Name, escapeSegment(e.Name)
	if e.Directory {
		name, href = name+"/", href+"/"
	}
	b = append(append(b, "<a href=\""...), html.EscapeString(href)...)
	b = append(append(b, "\">"...), html.EscapeString(name)...)
	b = append(b, "</a>"...)
	b = appendBlanks(b, nameWidth-utf8.RuneCountInString(name))
	if e.Modified.IsZero() {
		b = append(b, " -               "...)
	} else {
		b = e.Modified.UTC().AppendFormat(append(b, ' '), "2006-01-02 15:04")
	}
	size := "-"
	if !e.Directory && e.Size >= 0 {
		size = strconv.FormatInt(e.Size, 10)
	}
	b = appendBlanks(b, sizeWidth-len(size))
	return append(append(append(b, ' '), size...), '\n')
}

func appendBlanks(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}
