package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"pakhus/internal/registry"
	"pakhus/internal/seal"
)

// A backup is a folder:
//
//	database        a dump of the database, as it was at one moment
//	blobs.txt       the bytes in the bucket: a line for each, "KEY SIZE"
//	blobs/ab/<id>   these bytes, named by digest
//	manifest.json   digests of the first two
//	manifest.seal   the manifest's digest, sealed with the instance key
//
// The seal makes sure that what is restored is what this instance backed up
// (threats.md O2): rows decide who may do what. The instance key itself is in no
// backup.
const (
	databaseFile = "database"
	blobsFile    = "blobs.txt"
	blobsFolder  = "blobs"
	manifestFile = "manifest.json"
	sealFile     = "manifest.seal"
)

// manifestFormat is the number of the layout above.
const manifestFormat = 1

// manifest says what a backup holds.
type manifest struct {
	Format   int       `json:"format"`
	Program  string    `json:"program"` // version that made it
	MadeAt   time.Time `json:"made_at"`
	Dialect  string    `json:"dialect"` // sqlite or postgres
	Database sealed    `json:"database"`
	List     sealed    `json:"blob_list"`
	Blobs    int64     `json:"blobs"`
	Bytes    int64     `json:"blob_bytes"`
}

// sealed is a file of the backup.
type sealed struct {
	Digest string `json:"sha256"`
	Size   int64  `json:"size"`
}

func (m manifest) cells() []cell {
	return []cell{
		{"made at", m.MadeAt.Format(time.RFC3339)},
		{"database", m.Dialect + ", " + strconv.FormatInt(m.Database.Size, 10) + " bytes"},
		{"blobs", strconv.FormatInt(m.Blobs, 10)},
		{"blob bytes", strconv.FormatInt(m.Bytes, 10)},
	}
}

// write seals the manifest into the folder.
func (m manifest) write(ctx context.Context, dir *os.Root, sealer *seal.Sealer) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	mark, err := sealer.Seal(ctx, []byte(sealedText(text)))
	if err != nil {
		return err
	}
	return errors.Join(writeFile(dir, manifestFile, text), writeFile(dir, sealFile, mark))
}

// sealedText is what is sealed of a manifest. Its first words keep it apart
// from everything else that is sealed with the key.
func sealedText(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return "backup manifest sha256:" + hex.EncodeToString(sum[:])
}

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// readManifest reads the manifest of a backup and checks its seal, and then the
// files that it names.
func readManifest(ctx context.Context, dir *os.Root, sealer *seal.Sealer) (manifest, error) {
	var m manifest
	text, err := readSmall(dir, manifestFile)
	if err != nil {
		return m, err
	}
	mark, err := readSmall(dir, sealFile)
	if err != nil {
		return m, err
	}
	plain, err := sealer.Open(ctx, mark)
	if err != nil || string(plain) != sealedText(text) {
		return m, registry.Errorf(registry.Invalid,
			"the backup was changed, or was made with another instance key: set the secret_key, or put the secret.key, of the instance that made it")
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, err
	}
	if m.Format != manifestFormat {
		return m, registry.Errorf(registry.Invalid, "the backup has the format %d: this program reads format %d", m.Format, manifestFormat)
	}
	return m, errors.Join(m.Database.check(dir, databaseFile), m.List.check(dir, blobsFile))
}

func readSmall(dir *os.Root, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	return text, errors.Join(err, f.Close())
}

// digestFile gives digest and size of a file of the backup.
func digestFile(dir *os.Root, name string) (sealed, error) {
	f, err := dir.Open(name)
	if err != nil {
		return sealed{}, err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	return sealed{hex.EncodeToString(sum.Sum(nil)), size}, errors.Join(err, f.Close())
}

func (s sealed) check(dir *os.Root, name string) error {
	found, err := digestFile(dir, name)
	if err == nil && found != s {
		err = registry.Errorf(registry.Invalid, "the backup's file %s is not the one that was written", name)
	}
	return err
}

// blobLine is a line of the list of blobs.
type blobLine struct {
	Key  string
	Size int64
}

func (l blobLine) String() string { return fmt.Sprintf("%s %d\n", l.Key, l.Size) }

// digest is the part of a key that names the bytes.
func (l blobLine) digest() string {
	name := l.Key[strings.LastIndexByte(l.Key, '/')+1:]
	digest, _, _ := strings.Cut(name, "-")
	return digest
}

// file is where the backup has the bytes.
func (l blobLine) file() (string, error) {
	digest := l.digest()
	if raw, err := hex.DecodeString(digest); err != nil || len(raw) != sha256.Size {
		return "", registry.Errorf(registry.Invalid, "%.120q is not the key of a blob", l.Key)
	}
	return blobsFolder + "/" + digest[:2] + "/" + digest, nil
}

// lineReader reads a list of blobs, line by line.
type lineReader struct {
	lines *bufio.Scanner
	next  *blobLine // nil at the end
}

func newLineReader(r io.Reader) (*lineReader, error) {
	l := &lineReader{lines: bufio.NewScanner(r)}
	return l, l.advance()
}

func (l *lineReader) advance() error {
	l.next = nil
	if !l.lines.Scan() {
		return l.lines.Err()
	}
	key, size, ok := strings.Cut(l.lines.Text(), " ")
	n, err := strconv.ParseInt(size, 10, 64)
	if !ok || err != nil {
		return registry.Errorf(registry.Invalid, "the list of blobs has a line that cannot be read")
	}
	l.next = &blobLine{key, n}
	return nil
}

// writeFile writes a file of the backup, so that it survives a crash.
func writeFile(dir *os.Root, name string, text []byte) error {
	f, err := dir.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncFolder makes the names in a folder survive a crash.
func syncFolder(dir *os.Root, name string) error {
	f, err := dir.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
