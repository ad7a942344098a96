package maven

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"pakhus/internal/registry"
)

// confirmWindow is how long a client may look whether its checksum is there
// before it sends it.
const confirmWindow = 10 * time.Minute

// maxConfirmations bounds what is remembered; beyond it the oldest are dropped
// all together.
const maxConfirmations = 100_000

// confirmations remembers checksums that clients sent a moment ago. Only a HEAD
// of a checksum in the minutes after its file came asks for it, so it is kept in
// memory: another replica, which does not know, lets Ivy send the checksum once
// more, and takes it.
type confirmations struct {
	mu           sync.Mutex
	young, old   map[confirmation]struct{}
	youngStarted time.Time
}

type confirmation struct {
	fileID    int64
	digest    [32]byte // of the bytes: a file that is replaced keeps its id
	algorithm Algorithm
}

func (cs *confirmations) add(f registry.File, a Algorithm, now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.young == nil || len(cs.young) >= maxConfirmations || now.Sub(cs.youngStarted) > confirmWindow {
		cs.old, cs.young, cs.youngStarted = cs.young, map[confirmation]struct{}{}, now
	}
	cs.young[confirmation{f.ID, f.Blob.SHA256, a}] = struct{}{}
}

func (cs *confirmations) has(f registry.File, a Algorithm) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	key := confirmation{f.ID, f.Blob.SHA256, a}
	_, young := cs.young[key]
	_, old := cs.old[key]
	return young || old
}

// hidesChecksum tells whether a HEAD of a checksum is to say that there is none.
// Plain Ivy without overwrite aborts when a checksum that it is about to send
// exists already, which it does the moment the file is there: we compute it
// (maven.md 4.7).
func (h *Handler) hidesChecksum(r *http.Request, req *request, file registry.File) (bool, error) {
	if r.Method != http.MethodHead || h.packages.Now().Sub(file.CreatedAt) > confirmWindow || h.confirmed.has(file, req.path.Checksum) {
		return false, nil
	}
	if strings.HasPrefix(r.UserAgent(), "Apache Ivy/") {
		return true, nil
	}
	if req.identity.IsAnonymous() || req.level != projectLevel {
		return false, nil
	}
	head, err := h.packages.Package(r.Context(), req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return false, err
	}
	return h.isPublisher(r.Context(), req, head, req.path.Version)
}

// isPublisher tells whether the caller published a version.
func (h *Handler) isPublisher(ctx context.Context, req *request, head registry.Package, version string) (bool, error) {
	if req.identity.IsAnonymous() {
		return false, nil
	}
	v, err := h.packages.Version(ctx, head.ID, version)
	return err == nil && v.PublishedBy == req.identity.Name, err
}
