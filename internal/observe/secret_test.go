package observe

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "canary-5dQ2w"

// No way of printing shows a secret (threats.md O1, R7).
func TestSecretCannotPrint(t *testing.T) {
	type holder struct {
		Open   Secret
		hidden Secret // fmt cannot call methods of what is in here
	}
	h := holder{NewSecret(canary), NewSecret(canary)}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", h.Open)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", &h)
		fmt.Fprintf(&out, verb+"\n", []any{h, h.hidden})
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("start", "holder", h, "secret", h.Open)
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "holder", h, "secret", h.Open)
	for _, form := range []string{canary, fmt.Sprintf("%x", canary)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret shows: %s", out.String())
		}
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing says that a secret was left out")
	}
	if h.Open.Reveal() != canary {
		t.Errorf("got %q", h.Open.Reveal())
	}
}

func TestSecretEqual(t *testing.T) {
	if !NewSecret("a").Equal(NewSecret("a")) || NewSecret("a").Equal(NewSecret("b")) || !(Secret{}).IsEmpty() || NewSecret("a").IsEmpty() {
		t.Error("secrets do not compare by their text")
	}
}
