package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestTuneMemory(t *testing.T) {
	const cacheSize, unset = 256 << 20, -1
	tests := []struct {
		name, percent, limit string // GOGC and GOMEMLIMIT
		wantPercent          int
		wantLimit            int64
	}{
		{name: "default", wantPercent: garbagePercent, wantLimit: 2*cacheSize + memoryBeside},
		{name: "operator's percent", percent: "50", wantPercent: unset, wantLimit: 2*cacheSize + memoryBeside},
		{name: "operator's limit", limit: "1GiB", wantPercent: garbagePercent, wantLimit: math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOGC", tt.percent)
			t.Setenv("GOMEMLIMIT", tt.limit)
			percent, limit := debug.SetGCPercent(unset), debug.SetMemoryLimit(math.MaxInt64)
			tuneMemory(cacheSize)
			gotPercent, gotLimit := debug.SetGCPercent(percent), debug.SetMemoryLimit(limit)
			if gotPercent != tt.wantPercent || gotLimit != tt.wantLimit {
				t.Errorf("got %d %% and %d bytes, want %d %% and %d bytes", gotPercent, gotLimit, tt.wantPercent, tt.wantLimit)
			}
		})
	}
}
