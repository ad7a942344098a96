package npm

import (
	"encoding/base64"
	"encoding/hex"
	"path"
	"strings"

	"pakhus/internal/registry"
)

// upload is a checked tarball with its manifest.
type upload struct {
	version  string
	spool    *registry.Spool
	manifest Manifest
	archive  *Archive
	digests  registry.Digests
	differ   []string // fields that differ from the archive's manifest, when that is only warned of
}

func (u upload) integrity() string {
	return "sha512-" + base64.StdEncoding.EncodeToString(u.digests.SHA512[:])
}

func (u upload) shasum() string { return hex.EncodeToString(u.digests.SHA1[:]) }

// receive finds the tarball of a document and checks the digests that the body
// claims.
func receive(doc *Document, name Name, raw RawVersion) (upload, error) {
	if _, err := ParseVersion(raw.Key); err != nil {
		return upload{}, err
	}
	spool, err := tarballOf(doc, name, raw.Key)
	if err != nil {
		return upload{}, err
	}
	up := upload{version: raw.Key, spool: spool, digests: spool.Digests()}
	return up, up.checkDigests(findMember(raw.Raw, "dist"))
}

// inspect looks into the tarball and checks its manifest against the body's.
func (h *Handler) inspect(up *upload, name Name, raw RawVersion) error {
	body, err := up.spool.Open()
	if err != nil {
		return err
	}
	if up.archive, err = ReadArchive(body, DefaultLimits); err != nil {
		return err
	}
	if up.differ, err = h.opts.Confusion.Check(raw.Raw, up.archive.Manifest, name, raw.Key); err != nil {
		return err
	}
	up.manifest, err = StripManifest(raw.Raw)
	return err
}

// tarballOf finds the one tarball of a document. Its key only serves to find it:
// the stored name is our own.
func tarballOf(doc *Document, name Name, version string) (*registry.Spool, error) {
	var found *registry.Spool
	for key, attachment := range doc.Attachments {
		want := tarballFile(name, version)
		if key != name.String()+"-"+version+".tgz" && path.Base(key) != want {
			return nil, registry.Errorf(registry.Invalid, "_attachments[%q] is not the tarball of %s@%s", key, name, version)
		}
		if found != nil {
			return nil, registry.Errorf(registry.Invalid, "_attachments holds more than one tarball")
		}
		if attachment.Length >= 0 && attachment.Length != attachment.Spool.Size() {
			return nil, registry.Errorf(registry.Invalid, "_attachments[%q].length is %d, but data has %d bytes", key, attachment.Length, attachment.Spool.Size())
		}
		found = attachment.Spool
	}
	if found == nil || found.Size() == 0 {
		return nil, registry.Errorf(registry.Invalid, "_attachments holds no tarball of %s@%s. Attachment data is empty.", name, version)
	}
	return found, nil
}

// checkDigests compares the digests that the manifest declares, if it does. Of
// several integrity values each that we compute must match; none that we know
// is a mistake too.
func (u upload) checkDigests(dist []byte) error {
	if shasum := text(findMember(dist, "shasum")); shasum != "" && !strings.EqualFold(shasum, u.shasum()) {
		return registry.Errorf(registry.Invalid, "dist.shasum is %s, but the tarball has %s", shasum, u.shasum())
	}
	integrity := text(findMember(dist, "integrity"))
	if integrity == "" {
		return nil
	}
	sums := map[string][]byte{"sha512": u.digests.SHA512[:], "sha256": u.digests.SHA256[:], "sha1": u.digests.SHA1[:]}
	strong := false
	for value := range strings.FieldsSeq(integrity) {
		value, _, _ = strings.Cut(value, "?")
		algorithm, encoded, _ := strings.Cut(value, "-")
		sum, known := sums[algorithm]
		if known && encoded != base64.StdEncoding.EncodeToString(sum) {
			return registry.Errorf(registry.Invalid, "dist.integrity is %s, but the tarball has %s", integrity, u.integrity())
		}
		strong = strong || algorithm == "sha512"
	}
	if !strong {
		return registry.Errorf(registry.Invalid, "dist.integrity has no sha512 value")
	}
	return nil
}

func newState(up upload, by person) State {
	return State{
		Integrity: up.integrity(), Shasum: up.shasum(), FileCount: up.archive.FileCount, UnpackedSize: up.archive.UnpackedSize,
		HasInstallScript: HasInstallScript(up.manifest.JSON, up.archive.HasBindingGyp), HasShrinkwrap: up.archive.HasShrinkwrap,
		NpmUser: by, Deprecated: up.manifest.Deprecated,
	}
}
