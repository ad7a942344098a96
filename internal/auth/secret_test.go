package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestMint(t *testing.T) {
	form := regexp.MustCompile(`^gldt-[0-9A-Za-z]{32}$`)
	seen := map[string]bool{}
	for range 1000 {
		s, err := mint(deployTokenPrefix)
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(s.Reveal()) || !s.plausible() || seen[s.Reveal()] {
			t.Fatalf("bad secret %q", s.Reveal())
		}
		seen[s.Reveal()] = true
	}
}

// One wrong character is always noticed; noise of the right shape almost always.
func TestChecksum(t *testing.T) {
	s, err := mint(deployTokenPrefix)
	if err != nil {
		t.Fatal(err)
	}
	text := s.Reveal()
	for i := len(deployTokenPrefix); i < len(text); i++ {
		other := byte('a')
		if text[i] == other {
			other = 'b'
		}
		typo := text[:i] + string(other) + text[i+1:]
		if NewSecret(typo).plausible() {
			t.Errorf("typing error at %d was not noticed", i)
		}
	}
	passed := 0
	for range 100_000 {
		b := []byte(deployTokenPrefix)
		for range randomLength + checksumLength {
			b = append(b, base62[rand.IntN(len(base62))])
		}
		if NewSecret(string(b)).plausible() {
			passed++
		}
	}
	if passed > 3 {
		t.Errorf("%d of 100,000 random texts passed the checksum", passed)
	}
}

func TestImportedSecrets(t *testing.T) {
	ok := []string{"gldt-Zk3vQ9aT_w7Rj0YpLmNd", "old-token-without-prefix"}
	bad := []string{"short", "has a blank in it ok", "tab\tin-the-middle-x", "gldt-" + strings.Repeat("a", 32), strings.Repeat("x", 256), "ümlaut-ümlaut-ümlaut"}
	for _, text := range ok {
		if err := checkImported(NewSecret(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range bad {
		if checkImported(NewSecret(text)) == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// A secret must not leave by any of the usual ways (threats.md R7).
func TestSecretDoesNotPrint(t *testing.T) {
	s := NewSecret("canary-canary-canary")
	type holder struct{ S Secret }
	type keeper struct{ s Secret }
	encoded, err := json.Marshal(holder{s})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "secret", s, "holder", holder{s})
	outputs := []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%+v %#v", holder{s}, holder{s}),
		fmt.Sprintf("%v", &holder{s}), fmt.Sprintf("%v %+v %#v", keeper{s}, &keeper{s}, []keeper{{s}}), string(encoded), logged.String(),
	}
	for _, out := range outputs {
		if strings.Contains(out, "canary") || strings.Contains(out, "63616e617279") {
			t.Errorf("leaked: %s", out)
		}
	}
}

func TestPasswords(t *testing.T) {
	hash, err := hashPassword(NewSecret("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if !checkPassword(hash, NewSecret("correct horse")) || checkPassword(hash, NewSecret("wrong horse")) {
		t.Error("checkPassword does not tell passwords apart")
	}
	for _, broken := range []string{"", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$x$", "plain", "$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA"} {
		if checkPassword(broken, NewSecret("")) || checkPassword(broken, NewSecret("plain")) {
			t.Errorf("hash %q matched", broken)
		}
	}
	if _, err := hashPassword(NewSecret("short")); err == nil {
		t.Error("a short password was accepted")
	}
	if checkPassword(decoyHash, NewSecret("anything")) {
		t.Error("the decoy matched")
	}
}
