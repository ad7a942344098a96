package nuget

import (
	"net/http/httptest"
	"testing"

	"pakhus/internal/worldtest"
)

// TestMovedProject asks also for the index, which is open to all.
func TestMovedProject(t *testing.T) {
	for name, below := range map[string]string{
		"versions": "/packages/nuget/download/acme.demo/index.json", "index": "/packages/nuget/index.json", "V2": "/packages/nuget/v2/Packages()",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			worldtest.CheckMoved(t, w.ready, externalURL, below, "/packages/nuget/",
				func(method, target, token string) *httptest.ResponseRecorder {
					return w.call(method, target, token, nil).ResponseRecorder
				})
		})
	}
}
