package main

import (
	"os"
	"runtime/debug"
)

const (
	// garbagePercent lets more garbage collect than Go's 100: with a heap of a few
	// megabytes, as in an idle server, the collector would run dozens of times a
	// second under load and take a sixth of the time of a hot read.
	garbagePercent = 400
	// memoryBeside is what the server may need beside its caches, in bytes, before
	// the collector becomes as eager as by default.
	memoryBeside = 128 << 20
)

// tuneMemory sets the collector up for a server with caches of the given size
// in bytes. Near twice that size memory counts again: the limit is soft, nothing
// fails above it. GOGC and GOMEMLIMIT go before ours when they are set.
//
// What the start took, most of it for the first user's password, goes back to
// the system.
func tuneMemory(cacheSize int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(2*cacheSize + memoryBeside)
	}
	debug.FreeOSMemory()
}
