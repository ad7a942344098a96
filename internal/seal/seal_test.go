package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pakhus/internal/registry"
)

const sample = "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92"

func TestParseKey(t *testing.T) {
	raw, err := hex.DecodeString(sample)
	if err != nil {
		t.Fatal(err)
	}
	counting := make([]byte, 32)
	for i := range counting {
		counting[i] = byte(3 * i)
	}
	tests := []struct {
		name, text, want string // want: part of the error
	}{
		{"hex", sample, ""},
		{"hex in capitals", strings.ToUpper(sample), ""},
		{"base64", base64.StdEncoding.EncodeToString(raw), ""},
		{"base64 of URLs, unpadded", base64.RawURLEncoding.EncodeToString(raw), ""},
		{"line break of a file", sample + "\n", ""},
		{"empty", "", "is empty"},
		{"blank", " \n", "is empty"},
		{"8 bytes", "8d969eef6ecad3c2", "not 32 bytes"},
		{"33 bytes", sample + "00", "not 32 bytes"},
		{"a word", "changeme", "not 32 bytes"},
		{"text of the right length", base64.StdEncoding.EncodeToString([]byte("change-me-please-change-me-pleas")), "not random"},
		{"zeros", strings.Repeat("00", 32), "not random"},
		{"repetition", strings.Repeat("8d969eef", 8), "not random"},
		{"sequence", hex.EncodeToString(counting), "not random"},
		{"digits as hex", strings.Repeat("0123456789abcdef", 4), "not random"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, err := ParseKey(tt.text)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if err != nil && len(tt.text) > 7 && strings.Contains(err.Error(), tt.text[:8]) {
					t.Errorf("the error shows the key: %v", err)
				}
				return
			}
			if err != nil || key.bytes() != [32]byte(raw) {
				t.Errorf("got %x, %v", key.bytes(), err)
			}
			if shown := fmt.Sprintf("%v %+v %#v %x", key, key, key, key); strings.Contains(shown, "8d969e") || strings.Contains(shown, "jZae") {
				t.Errorf("the key prints: %s", shown)
			}
		})
	}
}

// Command and server may start on an empty folder at the same time: what one
// seals the other must open.
func TestLoadKeyAgrees(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	keys := make([][32]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := LoadKey(path)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = key.bytes()
		})
	}
	wg.Wait()
	for _, key := range keys {
		if key != keys[0] || key == [32]byte{} {
			t.Errorf("keys differ: %x and %x", key, keys[0])
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestLoadKeyRefusesADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("got %v", err)
	}
}

func TestSealer(t *testing.T) {
	open := func(text string) *Sealer {
		key, err := ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		s := New(key)
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	s, other := open(sample), open(strings.Replace(sample, "8d", "8e", 1))
	sealed, err := s.Seal(t.Context(), []byte("gldt-secret"))
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("got %q, %v", sealed, err)
	}
	if plain, err := s.Open(t.Context(), sealed); err != nil || string(plain) != "gldt-secret" {
		t.Errorf("got %q, %v", plain, err)
	}
	if _, err := other.Open(t.Context(), sealed); registry.KindOf(err) != registry.Invalid || err == nil {
		t.Errorf("another key: %v", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := s.Open(t.Context(), sealed); registry.KindOf(err) != registry.Invalid || err == nil {
		t.Errorf("damaged: %v", err)
	}
}
