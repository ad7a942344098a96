package npm

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// Bounds of a publish document (npm.md 22), in bytes unless said otherwise.
const (
	maxDocumentSize = 100 << 20 // without tarballs: a whole packument is put back to deprecate a version
	maxManifest     = 1 << 20   // without its readme
	maxField        = 1 << 10   // name, revision, a tag's target
	maxUsers        = 8 << 20   // users and maintainers, each
	maxSigstore     = 1 << 20
	maxBatch        = 1000 // documents
)

// DecodeOptions say what a body may hold and where tarballs go.
type DecodeOptions struct {
	// MaxDocument bounds the body without its tarballs, in bytes; 100 MiB when 0.
	MaxDocument int64
	// NewSpool gives the spool of a tarball, which bounds its size. It is called
	// when the first byte of a tarball is about to be read; its error ends the
	// decoding.
	NewSpool func() (*registry.Spool, error)
}

// Document is a publish body (npm.md 7.1), or a packument that a client puts
// back changed (npm.md 8). Close it.
type Document struct {
	ID       string // _id
	Name     string
	Rev      string // _rev
	Access   string // public, restricted or empty
	Readme   string // cut to 64 KiB
	DistTags map[string]string
	Versions []RawVersion // in the body's order
	// HasVersions tells a document with empty versions from one without any.
	HasVersions bool
	Maintainers json.RawMessage       // as sent; nil when missing
	Users       json.RawMessage       // as sent; nil when missing
	Attachments map[string]Attachment // the tarball, by the client's key
	Sigstore    []Bundle              // provenance
}

// RawVersion is one version of a document.
type RawVersion struct {
	Key string
	// Raw is the manifest: compact, keys unique and in the client's order, the
	// readme cut to 64 KiB.
	Raw json.RawMessage
}

// Attachment is a tarball in a document.
type Attachment struct {
	Spool       *registry.Spool
	Length      int64 // as declared, in bytes; -1 when not
	ContentType string
}

// Bundle is a provenance statement in a document: a Sigstore bundle.
type Bundle struct {
	Key         string
	ContentType string
	Text        string
}

// Close gives back the spools.
func (d *Document) Close() error {
	var failures []error
	for _, a := range d.Attachments {
		failures = append(failures, a.Spool.Close())
	}
	return errors.Join(failures...)
}

// DecodeDocument reads one document as a stream: base64 goes to a spool as it
// comes, and everything else is bounded. Nothing may follow the document. Its
// errors are Invalid or TooLarge with a text that names the field, or what the
// body's reader or NewSpool said.
func DecodeDocument(body io.Reader, o DecodeOptions) (*Document, error) {
	d := newDecoder(body, o)
	doc, err := d.document()
	if err == nil {
		err = d.s.finish()
	}
	if err != nil {
		return nil, errors.Join(err, doc.Close())
	}
	return doc, nil
}

// DecodeBatch reads {"packages": [documents]}, pnpm's batch publish, as
// DecodeDocument does. The bound of the size is for all of them.
func DecodeBatch(body io.Reader, o DecodeOptions) ([]*Document, error) {
	d := newDecoder(body, o)
	var docs []*Document
	err := d.object("the body", func(key string) error {
		if key != "packages" {
			return d.s.skip()
		}
		return d.array("packages", func() error {
			if len(docs) == maxBatch {
				return registry.Errorf(registry.TooLarge, "packages holds more than %d documents", maxBatch)
			}
			doc, err := d.document()
			docs = append(docs, doc)
			return err
		})
	})
	if err == nil {
		err = d.s.finish()
	}
	if err == nil && docs == nil {
		err = registry.Errorf(registry.Invalid, "packages is missing or empty")
	}
	if err != nil {
		failures := []error{err}
		for _, doc := range docs {
			failures = append(failures, doc.Close())
		}
		return nil, errors.Join(failures...)
	}
	return docs, nil
}

// decoder reads documents off a scanner.
type decoder struct {
	s        *scanner
	newSpool func() (*registry.Spool, error)
	scratch  []byte // for manifests
	base64   []byte
}

func newDecoder(body io.Reader, o DecodeOptions) *decoder {
	if o.MaxDocument == 0 {
		o.MaxDocument = maxDocumentSize
	}
	return &decoder{s: newScanner(body, o.MaxDocument), newSpool: o.NewSpool}
}

// object reads an object's members; what says whose it is.
func (d *decoder) object(what string, member func(key string) error) error {
	if c, err := d.s.next(); err != nil {
		return err
	} else if c != '{' {
		return registry.Errorf(registry.Invalid, "%s must be a JSON object", what)
	}
	return d.s.object(&rawText{discard: true}, member)
}

func (d *decoder) array(what string, element func() error) error {
	if c, err := d.s.next(); err != nil {
		return err
	} else if c != '[' {
		return registry.Errorf(registry.Invalid, "%s must be an array", what)
	}
	return d.s.array(&rawText{discard: true}, element)
}

// isNull consumes a null, if there is one.
func (d *decoder) isNull() (bool, error) {
	c, err := d.s.next()
	if err != nil || c != 'n' {
		return false, err
	}
	return true, d.s.skip()
}

// document reads one document. What it opened until an error is in doc.
func (d *decoder) document() (doc *Document, err error) {
	doc = &Document{DistTags: map[string]string{}, Attachments: map[string]Attachment{}}
	return doc, d.object("the document", func(key string) error { return d.field(doc, key) })
}

func (d *decoder) field(doc *Document, key string) (err error) {
	switch key {
	case "__proto__":
		return errProto
	case "readme":
		doc.Readme, err = d.s.cutString(maxReadme)
		return err
	case "_id", "name", "_rev", "dist-tags", "versions", "_attachments", "maintainers", "users":
		if null, err := d.isNull(); null || err != nil {
			return err
		}
	}
	switch key {
	case "_id":
		doc.ID, err = d.s.string("_id", maxField)
	case "name":
		doc.Name, err = d.s.string("name", maxField)
	case "_rev":
		doc.Rev, err = d.s.string("_rev", maxField)
	case "access": // whatever its shape, it never fails a publish (npm.md 7.1)
		doc.Access, err = d.s.cutString(maxField)
	case "dist-tags":
		err = d.distTags(doc)
	case "versions":
		doc.HasVersions = true
		err = d.object("versions", func(version string) error { return d.version(doc, version) })
	case "maintainers":
		doc.Maintainers, err = d.raw("maintainers")
	case "users":
		doc.Users, err = d.raw("users")
	case "_attachments":
		err = d.object("_attachments", func(file string) error { return d.attachment(doc, file) })
	default:
		err = d.s.skip()
	}
	return err
}

func (d *decoder) distTags(doc *Document) error {
	return d.object("dist-tags", func(tag string) error {
		version, err := d.s.string("dist-tags["+strconv.Quote(cutText(tag, maxTag))+"]", maxField)
		doc.DistTags[tag] = version
		return err
	})
}

// raw reads a value as it is.
func (d *decoder) raw(what string) (json.RawMessage, error) {
	t := rawText{limit: maxUsers, what: what}
	err := d.s.value(&t)
	return t.b, err
}

// version reads a manifest as it is, except that its readme does not count to
// the bound and is cut: some are larger than all else together.
func (d *decoder) version(doc *Document, version string) error {
	if version == "__proto__" {
		return errProto
	}
	what := "versions[" + strconv.Quote(cutText(version, maxVersion)) + "]"
	t := rawText{b: d.scratch[:0], limit: maxManifest, what: what}
	t.put('{')
	err := d.object(what, func(key string) error {
		if key == "__proto__" {
			return errProto
		}
		if len(t.b) > 1 {
			t.put(',')
		}
		t.b = append(appendText(t.b, key), ':')
		if key != "readme" {
			return d.s.value(&t)
		}
		readme, err := d.s.cutString(maxReadme)
		before := len(t.b)
		t.b = appendText(t.b, readme)
		t.limit += len(t.b) - before
		return err
	})
	d.scratch = t.b
	if err != nil {
		return err
	}
	t.put('}')
	if err := t.check(); err != nil {
		return err
	}
	doc.Versions = append(doc.Versions, RawVersion{Key: version, Raw: append(make(json.RawMessage, 0, len(t.b)), t.b...)})
	return nil
}

// attachment reads one attachment: a tarball, or provenance.
func (d *decoder) attachment(doc *Document, file string) error {
	what := "_attachments[" + strconv.Quote(cutText(file, maxNewName+maxVersion)) + "]"
	switch {
	case strings.HasSuffix(file, ".sigstore"):
		return d.bundle(doc, file, what)
	case !strings.HasSuffix(file, ".tgz"):
		return registry.Errorf(registry.Invalid, "%s is neither a tarball (.tgz) nor provenance (.sigstore)", what)
	case len(doc.Attachments) > 0:
		return registry.Errorf(registry.Invalid, "_attachments holds more than one tarball")
	}
	a := Attachment{Length: -1}
	err := d.object(what, func(key string) (err error) {
		switch key {
		case "data":
			a.Spool, err = d.tarball(what)
			if a.Spool != nil {
				doc.Attachments[file] = a // so that it is closed whatever comes
			}
		case "length":
			a.Length, err = d.length(what)
		case "content_type":
			a.ContentType, err = d.s.cutString(maxField)
		default:
			err = d.s.skip()
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case a.Spool == nil:
		return registry.Errorf(registry.Invalid, "%s has no data", what)
	case a.Length >= 0 && a.Length != a.Spool.Size():
		return registry.Errorf(registry.Invalid, "length of %s is %d, but data holds %d bytes", what, a.Length, a.Spool.Size())
	}
	doc.Attachments[file] = a
	return nil
}

func (d *decoder) length(what string) (int64, error) {
	t := rawText{limit: maxField, what: "length of " + what}
	if err := d.s.value(&t); err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(t.b), 10, 64)
	if err != nil || n < 0 {
		return 0, registry.Errorf(registry.Invalid, "length of %s must be a number of bytes", what)
	}
	return n, nil
}

// tarball streams base64 into a new spool. The spool comes back also with an
// error, to be closed.
func (d *decoder) tarball(what string) (*registry.Spool, error) {
	if c, err := d.s.next(); err != nil {
		return nil, err
	} else if c != '"' {
		return nil, registry.Errorf(registry.Invalid, "data of %s must be a base64 string", what)
	}
	d.s.pos++
	spool, err := d.newSpool()
	if err != nil {
		return nil, err
	}
	sink := base64Sink{w: spool, out: d.base64}
	if err := d.s.pour(sink.write); err != nil {
		return spool, err
	}
	d.base64 = sink.out
	return spool, sink.finish()
}

// bundle reads provenance, which is plain text.
func (d *decoder) bundle(doc *Document, file, what string) error {
	if len(doc.Sigstore) > 0 {
		return registry.Errorf(registry.Invalid, "_attachments holds more than one provenance bundle")
	}
	b := Bundle{Key: file}
	err := d.object(what, func(key string) (err error) {
		switch key {
		case "data":
			b.Text, err = d.s.string("data of "+what, maxSigstore)
		case "content_type":
			b.ContentType, err = d.s.cutString(maxField)
		default:
			err = d.s.skip()
		}
		return err
	})
	doc.Sigstore = append(doc.Sigstore, b)
	return err
}
