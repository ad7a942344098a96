package maven

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// settingStrict refuses uploads that contradict themselves: files that are not
// called like their artifact, POMs of something else, and checksums of metadata
// that nobody sent. Off by default: Ivy's descriptors and old repositories have
// all of them.
const settingStrict = "maven_strict_uploads"

func (h *Handler) isStrict(ctx context.Context, req *request) (bool, error) {
	settings, err := h.packages.Settings(ctx, req.project)
	return settings.Get(settingStrict, "false") == "true", err
}

// checkLayout refuses names that are no artifact's, in a strict repository.
func (h *Handler) checkLayout(ctx context.Context, req *request) error {
	if _, ok := ParseCoordinates(req.path); ok {
		return nil
	}
	if strict, err := h.isStrict(ctx, req); err != nil || !strict {
		return err
	}
	return registry.Errorf(registry.Invalid, "%.80q: files here begin with artifact and version (%s)", req.path.File, settingStrict)
}

// checkPOM compares a POM with its path. A strict repository refuses one that is
// another's; any other stores it and says so in a header.
func (h *Handler) checkPOM(c echo.Context, req *request, spool *registry.Spool) error {
	coordinates, ok := ParseCoordinates(req.path)
	isPOM := coordinates.Extension == "pom" && (coordinates.Classifier == "" || coordinates.Classifier == buildPOM)
	if !ok || !isPOM || req.path.Signature {
		return nil
	}
	body, err := spool.Open()
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(body, maxPOM+1))
	if err != nil {
		return registry.Wrapf(registry.Unavailable, err, "the POM cannot be read again")
	}
	wrong := CheckPOM(text, coordinates)
	if wrong == nil {
		return nil
	}
	strict, err := h.isStrict(c.Request().Context(), req)
	switch {
	case err != nil:
		return err
	case strict:
		return wrong
	}
	c.Response().Header().Set("Warning", "199 - "+strconv.QuoteToASCII(registry.Message(wrong)))
	return nil
}

// buildPOM is the classifier under which Maven 4 sends the POM of the build
// beside that for consumers (maven.md 2.6).
const buildPOM = "build"

// What is remembered of metadata that clients sent to one path.
const (
	sentKept = 16
	sentTime = 15 * time.Minute
)

// rememberSent keeps the checksums of a metadata document, for those that its
// client sends next: of several deployments at once, each sends its own
// (maven.md 7.6). Replicas have to know, so they are notes.
func (h *Handler) rememberSent(ctx context.Context, req *request, document []byte) error {
	sent, err := h.sentMetadata(ctx, req)
	if err != nil {
		return err
	}
	d := digestsOf(document)
	values := []string{strconv.FormatInt(h.packages.Now().UnixMicro(), 10)}
	for _, a := range Algorithms {
		values = append(values, a.Of(d))
	}
	key := registry.NoteKey{Kind: noteSent, VersionKey: req.path.Version, Name: SHA256.Of(d)}
	drop := sent[:max(0, len(sent)-sentKept+1)]
	for len(drop) < len(sent) && h.packages.Now().Sub(sent[len(drop)].at) > sentTime {
		drop = sent[:len(drop)+1]
	}
	var settled []registry.NoteKey
	for _, s := range drop {
		settled = append(settled, s.key)
	}
	return h.note(ctx, req, req.path.Package, []registry.Note{{NoteKey: key, Value: []byte(strings.Join(values, " "))}}, settled)
}

// sentDocument is a document that a client sent.
type sentDocument struct {
	key  registry.NoteKey
	at   time.Time
	sums []string // in the order of Algorithms
}

// sentMetadata gives the documents that were sent to the path, the oldest first.
func (h *Handler) sentMetadata(ctx context.Context, req *request) ([]sentDocument, error) {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return nil, unlessNotFound(err)
	}
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteSent, VersionKey: req.path.Version})
	if err != nil {
		return nil, err
	}
	var sent []sentDocument
	for _, n := range notes {
		if n.VersionKey != req.path.Version { // a query for none is one for all
			continue
		}
		since, sums, _ := strings.Cut(string(n.Value), " ")
		at, err := strconv.ParseInt(since, 10, 64)
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "note of metadata that was sent")
		}
		sent = append(sent, sentDocument{n.NoteKey, time.UnixMicro(at), strings.Fields(sums)})
	}
	slices.SortFunc(sent, func(a, b sentDocument) int { return a.at.Compare(b.at) })
	return sent, nil
}

// checkSent refuses a checksum of metadata, in a strict repository, that is none
// of a document which was sent lately. The document that is served has another.
func (h *Handler) checkSent(ctx context.Context, req *request, claimed string) error {
	if strict, err := h.isStrict(ctx, req); err != nil || !strict {
		return err
	}
	sent, err := h.sentMetadata(ctx, req)
	if err != nil {
		return err
	}
	for _, s := range sent {
		if h.packages.Now().Sub(s.at) <= sentTime && slices.Contains(s.sums, claimed) {
			return nil
		}
	}
	return registry.Errorf(registry.Conflict, "no %s with this %s was sent in the last minutes: send it again", metadataFile, req.path.Checksum)
}
