package maven

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

const (
	// withholdTime is how long after a file came a checksum that differs withholds
	// it. Later, others may have read it, and a mistake must not take it away.
	withholdTime = 10 * time.Minute
	// earlyTime is how long a checksum waits for its file.
	earlyTime = 24 * time.Hour
)

// putChecksum answers PUT of a checksum. It is compared, and not stored: ours is
// computed. Maven goes on after a failure, so a file that a checksum contradicts
// is withheld, and the metadata that comes next is refused (maven.md 7.4).
func (h *Handler) putChecksum(c echo.Context, req *request) error {
	text, err := io.ReadAll(io.LimitReader(c.Request().Body, MaxChecksumBody+1))
	if err != nil {
		return bodyFailure(err)
	}
	if len(text) > MaxChecksumBody {
		return registry.Errorf(registry.Invalid, "a checksum is shorter than %d bytes", MaxChecksumBody)
	}
	claimed, err := ParseChecksum(req.path.Checksum, text)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if req.path.IsMetadata() { // of the client's document, which need not be the one that is served
		isKept, err := h.checkKept(ctx, req, claimed)
		if err == nil && !isKept {
			err = h.checkSent(ctx, req, claimed)
		}
		if err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	}
	at, err := h.findSubject(ctx, req)
	if err != nil {
		return err
	}
	if at.file.ID == 0 {
		return h.keepEarly(c, req, at, claimed)
	}
	if err := h.compare(ctx, req, at, req.path.Checksum, claimed, nil); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// findSubject looks up the file that a checksum belongs to.
func (h *Handler) findSubject(ctx context.Context, req *request) (target, error) {
	of := *req
	of.path.File = req.path.Subject
	return h.findTarget(ctx, &of)
}

// keepEarly remembers a checksum whose file is still to come.
func (h *Handler) keepEarly(c echo.Context, req *request, at target, claimed string) error {
	ctx := c.Request().Context()
	if _, err := h.decide(ctx, req, at); err != nil {
		return err
	}
	value := claimed + " " + strconv.FormatInt(h.packages.Now().Unix(), 10)
	_, err := h.packages.Publish(ctx, []registry.Publication{{
		ProjectID: req.project.ID, Format: registry.Maven, Name: req.path.Package, Key: req.path.Package, By: req.identity.Actor(),
		Notes: []registry.Note{{NoteKey: registry.NoteKey{Kind: noteEarly, VersionKey: req.path.Version, Name: req.path.File}, Value: []byte(value)}},
	}})
	if err != nil {
		return err
	}
	// The file may have come in between, and then nobody compared them.
	if err := h.checkEarlyOf(ctx, req, req.path.Subject); err != nil {
		return err
	}
	return c.NoContent(http.StatusAccepted)
}

// checkEarly compares a file that was just stored with checksums that came
// before it.
func (h *Handler) checkEarly(ctx context.Context, req *request) error {
	return h.checkEarlyOf(ctx, req, req.path.File)
}

func (h *Handler) checkEarlyOf(ctx context.Context, req *request, name string) error {
	at, err := h.findSubject(ctx, &request{project: req.project, path: Path{Package: req.path.Package, Version: req.path.Version, Subject: name}})
	if err != nil || at.file.ID == 0 {
		return err
	}
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: at.head.ID, Kind: noteEarly, VersionKey: req.path.Version})
	if err != nil {
		return err
	}
	for _, n := range notes {
		subject, algorithm, ok := cutChecksum(n.Name)
		if !ok || subject != name {
			continue
		}
		claimed, since, _ := strings.Cut(string(n.Value), " ")
		at, err := strconv.ParseInt(since, 10, 64)
		if err != nil || h.packages.Now().Sub(time.Unix(at, 0)) > earlyTime {
			claimed = ""
		}
		if err := h.settleEarly(ctx, req, name, algorithm, claimed, n.NoteKey); err != nil {
			return err
		}
	}
	return nil
}

// settleEarly compares, and drops the note.
func (h *Handler) settleEarly(ctx context.Context, req *request, name string, a Algorithm, claimed string, note registry.NoteKey) error {
	of := &request{project: req.project, identity: req.identity, path: Path{Package: req.path.Package, Version: req.path.Version, Subject: name}}
	at, err := h.findSubject(ctx, of)
	if err != nil || at.file.ID == 0 {
		return err
	}
	if claimed == "" {
		claimed = a.Of(at.file.Blob.Digests)
	}
	return h.compare(ctx, of, at, a, claimed, []registry.NoteKey{note})
}

// compare compares a checksum with the file's and marks the file by the result;
// notes that are settled by it are dropped. A difference is Conflict.
func (h *Handler) compare(ctx context.Context, req *request, at target, a Algorithm, claimed string, settled []registry.NoteKey) error {
	have := a.Of(at.file.Blob.Digests)
	fits := claimed == have
	edit := registry.Edit{PackageID: at.head.ID, By: req.identity.Actor(), Action: "checksum", DropNotes: settled}
	switch {
	case fits:
		h.confirmed.add(at.file, a, h.packages.Now())
		if at.file.Withheld {
			due, err := h.dueAfterFile(ctx, req.project)
			if err != nil {
				return err
			}
			edit.Files = []registry.FileEdit{{FileID: at.file.ID}}
			edit.Notes = []registry.Note{{NoteKey: registry.NoteKey{Kind: noteVersion, VersionKey: req.path.Version}, Due: due}}
		}
	case !at.file.Withheld && h.packages.Now().Sub(at.file.CreatedAt) < withholdTime:
		edit.Files = []registry.FileEdit{{FileID: at.file.ID, Withheld: true}}
	}
	if len(edit.Files) > 0 || len(edit.DropNotes) > 0 {
		_, err := h.packages.Edit(ctx, edit)
		if err != nil && registry.KindOf(err) != registry.NotFound { // gone or replaced meanwhile
			return err
		}
	}
	if fits {
		return nil
	}
	return registry.Errorf(registry.Conflict, "%s of %s is %s, but that of the file that arrived is %s: send the file again", a, at.file.Name, claimed, have)
}
