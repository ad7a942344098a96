package serve_test

import (
	"encoding/json"
	"testing"

	"pakhus/internal/serve"
)

func TestAppendJSON(t *testing.T) {
	for _, text := range []string{"", "acme.log", `say "hi" \ twice`, "<script>&", "line\nbreak", "naïve ☃", "\x7f", "\u2028"} {
		quoted := serve.AppendJSON([]byte("["), text)
		var got string
		if err := json.Unmarshal(quoted[1:], &got); err != nil || got != text {
			t.Errorf("%q became %s: %v", text, quoted, err)
		}
		want, err := json.Marshal(text)
		if err != nil || string(quoted[1:]) != string(want) {
			t.Errorf("%q: got %s, want %s", text, quoted[1:], want)
		}
	}
}
