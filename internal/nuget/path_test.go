package nuget

import (
	"net/http"
	"testing"
)

// Each request parses a path. Restores ask for lists and packages, and most of
// what they ask for is not there: nothing but what is kept is copied.
func TestParsePathAllocates(t *testing.T) {
	tests := []struct {
		path string
		most float64
	}{
		{"/download/acme.log/index.json", 1}, // the segments
		{"/metadata/acme.log/index.json", 1},
		{"/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", 5}, // and of two versions, which are compared
	}
	for _, tt := range tests {
		got := testing.AllocsPerRun(100, func() {
			if _, err := ParsePath(http.MethodGet, tt.path); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.most {
			t.Errorf("%s: %v allocations, want %v", tt.path, got, tt.most)
		}
	}
}
