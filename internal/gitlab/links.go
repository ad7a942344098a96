package gitlab

import (
	"net/url"
	"strconv"
	"strings"
)

// links builds absolute URLs from the configured base, never from a Host
// header.
type links struct{ base string }

func (l links) project(fullPath string) string { return l.base + "/" + escapePath(fullPath) }

func (l links) group(fullPath string) string { return l.base + "/groups/" + escapePath(fullPath) }

func (l links) user(username string) string { return l.base + "/" + url.PathEscape(username) }

func (l links) projectAPI(id int64) string {
	return l.base + "/api/v4/projects/" + strconv.FormatInt(id, 10)
}

// page is the address of a page of a list: the request's own path and query,
// with another page. The request's path has no prefix any more; the base has it.
func (l links) page(requested *url.URL, number, size int) string {
	query := requested.Query()
	query.Set("page", strconv.Itoa(number))
	query.Set("per_page", strconv.Itoa(size))
	return l.base + requested.EscapedPath() + "?" + query.Encode()
}

func escapePath(fullPath string) string {
	segments := strings.Split(fullPath, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}
