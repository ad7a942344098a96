package seal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pakhus/internal/observe"
)

const keySize = 32 // bytes

// Key is the key of an instance. It cannot be printed.
type Key struct{ raw observe.Secret }

func (k Key) bytes() [keySize]byte { return [keySize]byte(k.Reveal()) }

// Reveal gives the raw key, to derive other keys from.
func (k Key) Reveal() []byte { return []byte(k.raw.Reveal()) }

// ParseKey reads a key: 32 random bytes in base64 or hex, as `openssl rand
// -base64 32` prints them. What was not made by a random source is refused:
// empty, short, readable text, repetitions and sequences (threats.md T5).
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Key{}, errors.New("is empty")
	}
	raw, ok := decodeKey(text)
	if !ok || len(raw) != keySize {
		return Key{}, errors.New("is not 32 bytes in base64 or hex: make one with `openssl rand -base64 32`")
	}
	if guessable(raw) {
		return Key{}, errors.New("is not random: make one with `openssl rand -base64 32`")
	}
	return Key{observe.NewSecret(string(raw))}, nil
}

func decodeKey(text string) ([]byte, bool) {
	if raw, err := hex.DecodeString(text); err == nil {
		return raw, true
	}
	text = strings.TrimRight(text, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := encoding.DecodeString(text); err == nil {
			return raw, true
		}
	}
	return nil, false
}

// guessable finds samples. Of 32 random bytes, fewer than 16 differ, or all are
// printable, less than once in 10^13 keys.
func guessable(raw []byte) bool {
	seen := map[byte]bool{}
	printable, steady := true, true
	for i, b := range raw {
		seen[b] = true
		printable = printable && b >= ' ' && b <= '~'
		steady = steady && (i < 2 || b-raw[i-1] == raw[1]-raw[0])
	}
	return printable || steady || len(seen) < 16
}

// LoadKey reads the key of the file, or makes a random one there at the first
// start. Processes that start at the same time agree on one key.
func LoadKey(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return Key{}, fmt.Errorf("make instance key: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("read instance key: %w", err)
	}
	key, err := ParseKey(string(text))
	if err != nil {
		return Key{}, fmt.Errorf("the instance key in %s %w", path, err)
	}
	return key, nil
}

// makeKey writes a whole file under another name, durably, and links it to its
// name, which fails when somebody else was faster: then that key counts.
func makeKey(path string) error {
	raw := make([]byte, keySize)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(raw))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in a folder survive a crash of the machine.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
