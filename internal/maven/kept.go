package maven

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// settingMetadata says what becomes of metadata that clients send: "generated"
// makes it from what is stored, "client" keeps it byte for byte, with its
// signature. That is for mirrors of repositories whose metadata is signed, where
// one client writes: of two at once, one loses its version (maven.md 9.2). The
// setting is asked when a document comes; reads take the one that is kept, or else
// make it.
const settingMetadata = "maven_metadata"

// maxSignature bounds a signature of metadata, in bytes.
const maxSignature = 64 << 10

func (h *Handler) keepsMetadata(ctx context.Context, req *request) (bool, error) {
	settings, err := h.packages.Settings(ctx, req.project)
	return settings.Get(settingMetadata, "generated") == "client", err
}

// keptKey is the note of a document, or of its signature.
func keptKey(path Path) registry.NoteKey {
	return registry.NoteKey{Kind: noteKept, VersionKey: path.Version, Name: path.Subject}
}

// keepDocument keeps a document as it was sent.
func (h *Handler) keepDocument(ctx context.Context, req *request, body []byte) error {
	value := append(strconv.AppendInt(nil, h.packages.Now().UnixMicro(), 10), '\n')
	return h.note(ctx, req, req.path.Package, []registry.Note{{NoteKey: keptKey(req.path), Value: append(value, body...)}}, nil)
}

// dropKept drops what is kept of a path from before the setting changed.
func (h *Handler) dropKept(ctx context.Context, req *request) error {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return unlessNotFound(err)
	}
	kept, err := h.keptKeys(ctx, head.ID, req.path.Version)
	if err != nil {
		return err
	}
	return h.note(ctx, req, req.path.Package, nil, kept)
}

// keptKeys are the notes of what is kept of a version, or of the package itself.
func (h *Handler) keptKeys(ctx context.Context, packageID int64, version string) ([]registry.NoteKey, error) {
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: noteKept, VersionKey: version})
	var keys []registry.NoteKey
	for _, n := range notes {
		if n.VersionKey == version { // a query for none is one for all
			keys = append(keys, n.NoteKey)
		}
	}
	return keys, err
}

// kept gives the document that a client sent to a project's path; nil when none is
// kept. A group has documents of its own: those of its projects, merged.
func (h *Handler) kept(ctx context.Context, req *request, all []found, path Path) (*registry.Document, error) {
	if req.level != projectLevel || len(all) == 0 {
		return nil, nil
	}
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: all[0].head.ID, Kind: noteKept, VersionKey: path.Version})
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		if n.NoteKey != keptKey(path) {
			continue
		}
		since, body, _ := bytes.Cut(n.Value, []byte("\n"))
		at, err := strconv.ParseInt(string(since), 10, 64)
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "note of a document")
		}
		return newDocument(body, timeline{changed: time.UnixMicro(at).UTC()}), nil
	}
	return nil, nil
}

// putSignature answers PUT of a signature of metadata. Where metadata is made here,
// no signature could fit it, and it is forgotten.
func (h *Handler) putSignature(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	keeps, err := h.keepsMetadata(ctx, req)
	switch {
	case err != nil:
		return err
	case !keeps:
		return ignore(c)
	case req.path.Checksum != "":
		return h.putChecksum(c, req)
	}
	body, err := io.ReadAll(io.LimitReader(c.Request().Body, maxSignature+1))
	if err != nil {
		return bodyFailure(err)
	}
	if len(body) > maxSignature {
		return registry.Errorf(registry.TooLarge, "a signature has at most %d bytes", maxSignature)
	}
	if err := h.keepDocument(ctx, req, body); err != nil {
		return err
	}
	return c.NoContent(http.StatusCreated)
}

// checkKept compares a checksum with the document that is kept. It is false when
// none is.
func (h *Handler) checkKept(ctx context.Context, req *request, claimed string) (bool, error) {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return false, unlessNotFound(err)
	}
	doc, err := h.kept(ctx, req, []found{{req.project, head}}, req.path)
	if err != nil || doc == nil {
		return false, err
	}
	if have := req.path.Checksum.Of(doc.Digests); claimed != have {
		return true, registry.Errorf(registry.Conflict, "%s of %s is %s, but that of the document that is kept is %s", req.path.Checksum, req.path.Subject, claimed, have)
	}
	return true, nil
}
