package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

const projectsRoot = apiRoot + "/projects/"

// answerOf decides about an error answer, and what header goes with it.
func (s *Server) answerOf(r *http.Request, err error) (status int, message string, header http.Header) {
	if status, message, header = s.answerMoved(r, err); status == 0 {
		status, message = statusOf(err)
	}
	return status, message, header
}

// answerMoved answers at a path that a project was moved away from (gitlab.md
// 0.4), for callers who may see the project; the status is 0 for all others, and
// they get what there is for a path that never was. It is here, and not at the
// gates, because it is the same for all of them.
func (s *Server) answerMoved(r *http.Request, err error) (status int, message string, header http.Header) {
	project, ok := registry.MovedTo(err)
	if !ok || !auth.Sees(auth.From(r.Context()), project) {
		return 0, "", nil
	}
	ref, ok := strings.CutPrefix(r.URL.EscapedPath(), projectsRoot)
	if !ok { // the address names no project
		return 0, "", nil
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return http.StatusMethodNotAllowed,
			fmt.Sprintf("405 Method Not Allowed - Non GET methods are not allowed for moved projects: use the id %d", project.ID),
			http.Header{"Allow": {"GET, HEAD"}}
	}
	location := s.external + projectsRoot + strconv.FormatInt(project.ID, 10)
	if _, rest, more := strings.Cut(ref, "/"); more {
		location += "/" + rest
	}
	if r.URL.RawQuery != "" {
		location += "?" + r.URL.RawQuery
	}
	return http.StatusMovedPermanently, "301 Moved Permanently", http.Header{"Location": {location}}
}
