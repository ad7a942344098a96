package registrytest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"pakhus/internal/registry"
)

// TestBlobs proves that buckets keep the contract of registry.Blobs. Each call
// of open gives an empty bucket, which open closes when the test ends.
func TestBlobs(t *testing.T, open func(t *testing.T) registry.Blobs) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, registry.Blobs)
	}{
		{"round trip", testBlobRoundTrip},
		{"large body", testBlobLarge},
		{"seek", testBlobSeek},
		{"content ends with its context", testBlobContentCancel},
		{"absent", testBlobAbsent},
		{"bad bodies", testBlobBadBodies},
		{"unseen before it is whole", testBlobUnseen},
		{"written at once", testBlobConcurrent},
		{"list", testBlobList},
		{"list stops", testBlobListStops},
		{"delete", testBlobDelete},
		{"cancelled", testBlobCancelled},
		{"hostile keys", testBlobHostileKeys},
		{"signed address", testBlobSigned},
		{"check", testBlobCheck},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// blobKey makes a new key for bytes, as the domain does.
func blobKey(body []byte) string {
	digest := sha256.Sum256(body)
	name := hex.EncodeToString(digest[:])
	return "sha256/" + name[:2] + "/" + name + "-" + strings.ToLower(rand.Text())[:16]
}

// blobBody gives bytes that differ from place to place and by seed.
func blobBody(seed byte, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = seed + byte(i^i>>8^i>>16)
	}
	return b
}

func writeBlob(t *testing.T, blobs registry.Blobs, body []byte) (key string) {
	t.Helper()
	key = blobKey(body)
	if err := blobs.Write(t.Context(), key, bytes.NewReader(body), int64(len(body))); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return key
}

func openBlob(t *testing.T, blobs registry.Blobs, key string) registry.Content {
	t.Helper()
	c, err := blobs.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

func listBlobs(t *testing.T, blobs registry.Blobs, prefix string) []string {
	t.Helper()
	keys := []string{}
	err := blobs.List(t.Context(), prefix, func(b registry.BlobInfo) error {
		keys = append(keys, b.Key)
		return nil
	})
	if err != nil {
		t.Fatalf("List(%q): %v", prefix, err)
	}
	slices.Sort(keys)
	return keys
}

// wantNoBlob proves that nothing is visible under a key.
func wantNoBlob(t *testing.T, blobs registry.Blobs, key string) {
	t.Helper()
	c, err := blobs.Open(t.Context(), key)
	if err == nil {
		t.Errorf("Open gives %d bytes, want NotFound", c.Size())
		_ = c.Close()
	} else if registry.KindOf(err) != registry.NotFound {
		t.Errorf("Open: %v, want NotFound", err)
	}
	if got := listBlobs(t, blobs, key); len(got) > 0 {
		t.Errorf("List(%q) = %v, want none", key, got)
	}
}

func wantKind(t *testing.T, doing string, err error, want registry.Kind) {
	t.Helper()
	if err == nil || registry.KindOf(err) != want {
		t.Errorf("%s: %v, want %v", doing, err, want)
	}
}

func testBlobRoundTrip(t *testing.T, blobs registry.Blobs) {
	for _, size := range []int{0, 1, 1000, 64 << 10, 1<<20 + 3} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			want := blobBody(1, size)
			c := openBlob(t, blobs, writeBlob(t, blobs, want))
			if c.Size() != int64(size) {
				t.Errorf("Size() = %d, want %d", c.Size(), size)
			}
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes, %v; want the %d bytes", len(got), err, size)
			}
		})
	}
}

// pattern gives size bytes without holding them.
type pattern struct {
	at, size int64
}

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	for i := range b {
		b[i] = byte(p.at>>12) ^ byte(p.at)
		p.at++
	}
	return len(b), nil
}

// A body of several upload parts, the last one short.
func testBlobLarge(t *testing.T, blobs registry.Blobs) {
	const size = 20<<20 + 12345
	key := blobKey(nil)
	sent, got := sha256.New(), sha256.New()
	if err := blobs.Write(t.Context(), key, io.TeeReader(&pattern{size: size}, sent), size); err != nil {
		t.Fatal(err)
	}
	c := openBlob(t, blobs, key)
	n, err := io.Copy(got, c)
	if err != nil || n != size || c.Size() != size {
		t.Fatalf("read %d bytes, %v, Size() = %d; want %d", n, err, c.Size(), size)
	}
	if !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Error("other bytes came back")
	}
}

func testBlobSeek(t *testing.T, blobs registry.Blobs) {
	body := blobBody(2, 200_000)
	key := writeBlob(t, blobs, body)
	c, other := openBlob(t, blobs, key), openBlob(t, blobs, key)
	for _, tt := range []struct {
		name   string
		offset int64
		from   int
		at     int64
		read   int
	}{
		{"beginning", 0, io.SeekStart, 0, 10},
		{"on from there", 0, io.SeekCurrent, 10, 90},
		{"forth", 1000, io.SeekCurrent, 1100, 1},
		{"back", -600, io.SeekCurrent, 501, 100_000},
		{"last byte", -1, io.SeekEnd, 199_999, 1},
		{"end", 0, io.SeekEnd, 200_000, 0},
		{"beyond the end", 5, io.SeekEnd, 200_005, 0},
		{"whole", 0, io.SeekStart, 0, 200_000},
	} {
		at, err := c.Seek(tt.offset, tt.from)
		if at != tt.at || err != nil {
			t.Fatalf("%s: Seek = %d, %v; want %d", tt.name, at, err, tt.at)
		}
		got := make([]byte, tt.read)
		if _, err := io.ReadFull(c, got); err != nil || tt.read > 0 && !bytes.Equal(got, body[at:at+int64(tt.read)]) {
			t.Fatalf("%s: %v, or other bytes than written", tt.name, err)
		}
		if at+int64(tt.read) >= c.Size() {
			if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%s: then Read = %d, %v; want EOF", tt.name, n, err)
			}
		}
	}
	if _, err := c.Seek(-1, io.SeekStart); err == nil {
		t.Error("Seek before the beginning succeeds")
	}
	if got, err := io.ReadAll(other); err != nil || !bytes.Equal(got, body) {
		t.Errorf("another content of the blob: %d bytes, %v", len(got), err)
	}
}

// Whoever reads a remote blob waits for the network; for a local one reading on
// is fine, but both must end in time.
func testBlobContentCancel(t *testing.T, blobs registry.Blobs) {
	body := blobBody(3, 1000)
	key := writeBlob(t, blobs, body)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := blobs.Open(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if _, err := io.ReadAll(c); err != nil {
		wantKind(t, "read", err, registry.Canceled)
	}
}

func testBlobAbsent(t *testing.T, blobs registry.Blobs) {
	key := blobKey([]byte("absent"))
	wantNoBlob(t, blobs, key)
	if err := blobs.Delete(t.Context(), key); err != nil {
		t.Errorf("Delete: %v, want nil", err)
	}
}

var errBody = errors.New("the body broke")

func testBlobBadBodies(t *testing.T, blobs registry.Blobs) {
	kept := writeBlob(t, blobs, blobBody(4, 100))
	for _, size := range []int64{1, 100_000, 17 << 20} {
		for _, tt := range []struct {
			name string
			body io.Reader
		}{
			{"short", &pattern{size: size - 1}},
			{"long", &pattern{size: size + 1}},
			{"failing at once", &failingBody{}},
			{"failing at the end", &failingBody{pattern{size: size - 1}}},
			{"failing after the end", &failingBody{pattern{size: size}}},
		} {
			t.Run(fmt.Sprintf("%s of %d", tt.name, size), func(t *testing.T) {
				key := blobKey(nil)
				wantKind(t, "Write", blobs.Write(t.Context(), key, tt.body, size), registry.Unavailable)
				wantNoBlob(t, blobs, key)
			})
		}
	}
	if diff := cmp.Diff([]string{kept}, listBlobs(t, blobs, "")); diff != "" {
		t.Errorf("blobs left (-want +got):\n%s", diff)
	}
}

// failingBody fails where its pattern ends.
type failingBody struct{ pattern }

func (f *failingBody) Read(p []byte) (int, error) {
	n, err := f.pattern.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBody
	}
	return n, err
}

func testBlobUnseen(t *testing.T, blobs registry.Blobs) {
	body := blobBody(5, 100_000)
	key := blobKey(body)
	looked := false
	look := readerFunc(func([]byte) (int, error) {
		if !looked {
			looked = true
			wantNoBlob(t, blobs, key)
		}
		return 0, io.EOF
	})
	half := io.MultiReader(bytes.NewReader(body[:50_000]), look, bytes.NewReader(body[50_000:]))
	if err := blobs.Write(t.Context(), key, half, int64(len(body))); err != nil {
		t.Fatal(err)
	}
	if !looked {
		t.Error("the body was not read to the end")
	}
	if got, err := io.ReadAll(openBlob(t, blobs, key)); err != nil || !bytes.Equal(got, body) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func testBlobConcurrent(t *testing.T, blobs registry.Blobs) {
	const writers, each = 8, 4
	keys := make([]string, writers*each)
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			for i := w * each; i < (w+1)*each; i++ {
				body := blobBody(byte(i), 3000+i)
				keys[i] = blobKey(body)
				if err := blobs.Write(t.Context(), keys[i], bytes.NewReader(body), int64(len(body))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if got, err := io.ReadAll(openBlob(t, blobs, key)); err != nil || !bytes.Equal(got, blobBody(byte(i), 3000+i)) {
			t.Errorf("blob %d: %d bytes, %v", i, len(got), err)
		}
	}
	slices.Sort(keys)
	if diff := cmp.Diff(keys, listBlobs(t, blobs, "")); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func testBlobList(t *testing.T, blobs registry.Blobs) {
	if got := listBlobs(t, blobs, ""); len(got) > 0 {
		t.Errorf("empty bucket lists %v", got)
	}
	want := map[string]int64{}
	var keys []string
	for i := range 20 {
		key := writeBlob(t, blobs, blobBody(byte(i), i))
		want[key] = int64(i)
		keys = append(keys, key)
	}
	got := map[string]int64{}
	err := blobs.List(t.Context(), "", func(b registry.BlobInfo) error {
		got[b.Key] = b.Size
		if age := time.Since(b.Modified); age < -time.Minute || age > time.Hour {
			t.Errorf("%s was modified %v ago, want just now", b.Key, age)
		}
		return nil
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; sizes (-want +got):\n%s", err, diff)
	}
	for _, cut := range []int{3, 6, 7, 8, 9, 10, 11, 12, 13, 20, 77, 80, len(keys[0])} {
		prefix := keys[0][:cut]
		want := slices.DeleteFunc(slices.Sorted(slices.Values(keys)), func(k string) bool { return !strings.HasPrefix(k, prefix) })
		if diff := cmp.Diff(want, listBlobs(t, blobs, prefix)); diff != "" {
			t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
		}
	}
}

func testBlobListStops(t *testing.T, blobs registry.Blobs) {
	for i := range 3 {
		writeBlob(t, blobs, blobBody(byte(i), 10))
	}
	calls := 0
	stop := registry.Errorf(registry.Conflict, "enough")
	err := blobs.List(t.Context(), "", func(registry.BlobInfo) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("List = %v after %d calls; want the error of the first", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	err = blobs.List(ctx, "", func(registry.BlobInfo) error { calls++; cancel(); return nil })
	wantKind(t, "List", err, registry.Canceled)
	if calls != 1 {
		t.Errorf("%d calls after the context ended", calls-1)
	}
}

func testBlobDelete(t *testing.T, blobs registry.Blobs) {
	body := blobBody(6, 100)
	gone, kept := writeBlob(t, blobs, body), writeBlob(t, blobs, body)
	open := openBlob(t, blobs, kept)
	for range 2 {
		if err := blobs.Delete(t.Context(), gone); err != nil {
			t.Errorf("Delete: %v", err)
		}
		wantNoBlob(t, blobs, gone)
	}
	if got, err := io.ReadAll(open); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the other blob of the same bytes: %d bytes, %v", len(got), err)
	}
}

func testBlobCancelled(t *testing.T, blobs registry.Blobs) {
	body := blobBody(7, 100_000)
	kept, key := writeBlob(t, blobs, body), blobKey(body)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wantKind(t, "Write", blobs.Write(ended, key, bytes.NewReader(body), int64(len(body))), registry.Canceled)
	wantNoBlob(t, blobs, key)
	_, err := blobs.Open(ended, kept)
	wantKind(t, "Open", err, registry.Canceled)
	wantKind(t, "Delete", blobs.Delete(ended, kept), registry.Canceled)
	wantKind(t, "List", blobs.List(ended, "", func(registry.BlobInfo) error { return nil }), registry.Canceled)
	wantKind(t, "Check", blobs.Check(ended), registry.Canceled)

	between, cancel := context.WithCancel(t.Context())
	half := io.MultiReader(bytes.NewReader(body[:50_000]),
		readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }), bytes.NewReader(body[50_000:]))
	wantKind(t, "Write", blobs.Write(between, key, half, int64(len(body))), registry.Canceled)
	wantNoBlob(t, blobs, key)
	openBlob(t, blobs, kept)
}

func testBlobHostileKeys(t *testing.T, blobs registry.Blobs) {
	good := blobKey([]byte("x"))
	digest := good[13:77]
	for _, key := range []string{
		"", "/", ".", "..", "x", "tmp/x", "/etc/passwd", `..\..\x`, "sha256", "sha256/", good[:len(good)-17], good[:len(good)-16],
		"/" + good, "./" + good, "../" + good, "sha256/../" + good, good + "/", good + "/..", good + "/x", good + "\x00", good + " ",
		"sha256/" + good[7:10] + "../" + good[10:], strings.ToUpper(good), strings.Replace(good, "sha256", "sha512", 1),
		"sha256/zz/" + good[10:], "sha256/00/" + strings.Replace(digest, digest[:2], "ff", 1) + "-0123456789abcdef",
		good + strings.Repeat("x", 100), strings.Replace(good, "-", "_", 1), good[:len(good)-1] + "é", good + ".attrs", good + "?x=y",
	} {
		t.Run(fmt.Sprintf("%.100q", key), func(t *testing.T) {
			wantKind(t, "Write", blobs.Write(t.Context(), key, strings.NewReader("x"), 1), registry.Internal)
			_, err := blobs.Open(t.Context(), key)
			wantKind(t, "Open", err, registry.Internal)
			wantKind(t, "Delete", blobs.Delete(t.Context(), key), registry.Internal)
			_, err = blobs.SignedURL(t.Context(), key, time.Minute)
			wantKind(t, "SignedURL", err, registry.Internal)
		})
	}
	for _, prefix := range []string{"/", "..", "../", "sha256/..", "sha256/../", "tmp", "x", good + "/", "\x00"} {
		err := blobs.List(t.Context(), prefix, func(registry.BlobInfo) error { return nil })
		wantKind(t, fmt.Sprintf("List(%q)", prefix), err, registry.Internal)
	}
	if got := listBlobs(t, blobs, ""); len(got) > 0 {
		t.Errorf("listed: %v", got)
	}
}

func testBlobSigned(t *testing.T, blobs registry.Blobs) {
	body := blobBody(8, 1000)
	address, err := blobs.SignedURL(t.Context(), writeBlob(t, blobs, body), time.Minute)
	if err != nil {
		wantKind(t, "SignedURL", err, registry.Unsupported)
		return
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(got, body) {
		t.Errorf("GET of the signed address: %s, %d bytes, %v; want 200, the %d bytes", res.Status, len(got), err, len(body))
	}
}

func testBlobCheck(t *testing.T, blobs registry.Blobs) {
	if err := blobs.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}
