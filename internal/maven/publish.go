package maven

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// maxIgnored bounds a body that is accepted and not looked at.
const maxIgnored = 64 << 20

// put answers PUT: a file, a checksum, or metadata, which is a signal.
func (h *Handler) put(c echo.Context, req *request) error {
	if err := req.path.CheckWrite(); err != nil {
		return err
	}
	if err := h.checkHeaders(c.Request()); err != nil {
		return err
	}
	if req.path.Kind != KindArchetypeCatalog {
		if err := h.checkOwner(c.Request().Context(), req); err != nil {
			return err
		}
	}
	switch {
	case req.path.Kind == KindArchetypeCatalog:
		return ignore(c) // ours is made from what is stored
	case req.path.IsMetadata() && req.path.Signature:
		return h.putSignature(c, req)
	case req.path.Checksum != "":
		return h.putChecksum(c, req)
	case req.path.IsMetadata():
		return h.putMetadata(c, req)
	}
	return h.putFile(c, req)
}

// checkHeaders refuses what can be refused before the body is read.
func (h *Handler) checkHeaders(r *http.Request) error {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return registry.Errorf(registry.Unsupported, "files are stored as they are sent: a Content-Encoding of %q is not accepted", coding)
	}
	if r.ContentLength > h.opts.MaxUpload {
		return registry.Errorf(registry.TooLarge, "the file has %d bytes, and this registry takes %d at most", r.ContentLength, h.opts.MaxUpload)
	}
	return nil
}

// ignore takes a body and forgets it.
func ignore(c echo.Context) error {
	n, err := io.Copy(io.Discard, io.LimitReader(c.Request().Body, maxIgnored+1))
	if err != nil {
		return bodyFailure(err)
	}
	if n > maxIgnored {
		return registry.Errorf(registry.TooLarge, "the body is larger than %d bytes", int64(maxIgnored))
	}
	return c.NoContent(http.StatusOK)
}

// bodyFailure gives the kind of an error while reading a body: a client that
// sends less than it announced is to blame itself.
func bodyFailure(err error) error {
	if registry.KindOf(err) != registry.Internal {
		return err
	}
	return registry.Wrapf(registry.Invalid, err, "the body ended early")
}

// putFile stores a file of a version.
func (h *Handler) putFile(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	at, err := h.findTarget(ctx, req)
	if err != nil {
		return err
	}
	if err := h.checkPlace(c, req, at); err != nil {
		return err
	}
	spool := h.packages.Spool(h.opts.MaxUpload)
	defer func() { _ = spool.Close() }() // the file is gone with the folder at the latest
	if _, err := io.Copy(spool, c.Request().Body); err != nil {
		return bodyFailure(err)
	}
	if err := checkBody(c.Request().Header, spool); err != nil {
		return err
	}
	if !at.holds(spool) {
		if err := h.checkPOM(c, req, spool); err != nil {
			return err
		}
	}
	status, err := h.store(ctx, req, at, spool, c.Request().Header)
	if err != nil {
		return err
	}
	if err := h.checkEarly(ctx, req); err != nil {
		return err
	}
	if status == http.StatusCreated && strings.HasSuffix(req.path.File, ".pom") { // sbt sends no metadata
		if err := h.dropReleased(ctx, req); err != nil {
			return err
		}
	}
	return c.NoContent(status)
}

// checkBody compares the body with what the request's headers say of it.
func checkBody(header http.Header, spool *registry.Spool) error {
	if spool.Size() == 0 && strings.EqualFold(header.Get("X-Checksum-Deploy"), "true") {
		return registry.Errorf(registry.Invalid, "X-Checksum-Deploy is not supported: send the file itself")
	}
	for _, h := range checksumHeaders {
		declared := header.Get(h.name)
		if have := h.algorithm.Of(spool.Digests()); declared != "" && !strings.EqualFold(declared, have) {
			return registry.Errorf(registry.Conflict, "%s says %.128s, but the file that arrived has %s", h.name, declared, have)
		}
	}
	return nil
}

// target is what is there where a file is to be stored. Zero parts are not.
type target struct {
	head    registry.Package
	version registry.Version
	file    registry.File
}

// holds tells whether the same bytes are there.
func (t target) holds(spool *registry.Spool) bool {
	return t.file.ID != 0 && t.file.Blob.SHA256 == spool.Digests().SHA256
}

// findTarget looks up what is there now.
func (h *Handler) findTarget(ctx context.Context, req *request) (target, error) {
	var at target
	var err error
	at.head, err = h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err == nil {
		at.version, err = h.packages.Version(ctx, at.head.ID, req.path.Version)
	}
	if err == nil && at.version.Status != registry.Deleted {
		at.file, err = h.packages.VersionFile(ctx, at.head, req.path.Version, req.path.File)
	}
	if registry.KindOf(err) == registry.NotFound {
		err = nil
	}
	return at, err
}

// storeAttempts bounds how often a file is tried to be stored when others change
// the same version meanwhile.
const storeAttempts = 3

// store stores the body unless the same bytes are there, and gives the status to
// answer with. Conditions in the header hold for what the transaction finds, so
// that of two writers with one condition one is told that it does not hold.
func (h *Handler) store(ctx context.Context, req *request, at target, spool *registry.Spool, header http.Header) (int, error) {
	for attempt := 1; ; attempt++ {
		if at.holds(spool) {
			return http.StatusOK, nil // clients repeat whole deployments
		}
		rule, err := h.decide(ctx, req, at)
		if err != nil {
			return 0, err
		}
		pubs, err := h.publications(ctx, req, spool, rule)
		if err != nil {
			return 0, err
		}
		if isConditional(header) {
			pubs[0].Versions[0].Files[0].Over = &at.file.Blob.SHA256
		}
		_, err = h.packages.Publish(ctx, pubs)
		switch {
		case err == nil && at.file.ID != 0:
			return http.StatusOK, nil
		case err == nil:
			return http.StatusCreated, nil
		case registry.KindOf(err) != registry.Conflict || attempt == storeAttempts:
			return 0, err
		}
		if at, err = h.findTarget(ctx, req); err != nil { // somebody was faster
			return 0, err
		}
		if !conditionsHold(header, at.file) {
			return 0, errCondition()
		}
	}
}

// publications are what a file brings: itself, the notes that documents are made
// from, and what its content says. All of it is one transaction, so that
// deployments at the same time lose nothing of each other.
func (h *Handler) publications(ctx context.Context, req *request, spool *registry.Spool, rule rule) ([]registry.Publication, error) {
	path := req.path
	due, err := h.dueAfterFile(ctx, req.project)
	if err != nil {
		return nil, err
	}
	pub := registry.Publication{
		ProjectID: req.project.ID, Format: registry.Maven, Name: path.Package, Key: path.Package, By: req.identity.Actor(),
		Versions: []registry.NewVersion{{
			Version: path.Version, Key: path.Version, SortKey: SortKey(path.Version), Grow: true, Revive: path.IsSnapshot(),
			Files: []registry.NewFile{{Name: path.File, Body: spool, Replace: rule == replace, ReplaceWithheld: rule == replaceWithheld}},
		}},
		Notes: []registry.Note{{NoteKey: registry.NoteKey{Kind: noteVersion, VersionKey: path.Version}, Due: due}},
	}
	pubs := []registry.Publication{pub}
	coordinates, ok := ParseCoordinates(path)
	if !ok {
		return pubs, nil
	}
	if !coordinates.Build.IsZero() {
		pubs[0].Notes = append(pubs[0].Notes, registry.Note{
			NoteKey: registry.NoteKey{Kind: noteBuild, VersionKey: path.Version, Name: coordinates.Build.String()}, Due: due,
		})
	}
	if path.Signature {
		return pubs, nil
	}
	return addContent(pubs, coordinates, spool)
}
