// Package httpapi is the HTTP side that all formats share: the order of what
// happens to a request, statuses, logs, metrics, health and the stop.
//
// A request passes, from the outside in (server.go):
//
//  1. recorder.go: status and bytes are counted, bodies may not stall
//  2. middleware.go: request id, panics, access log, metrics
//  3. check.go: paths and headers that no client sends are refused
//  4. echo: routing on the escaped path, then the routes' own middleware
//  5. errors.go: the one table from kinds to statuses; the format writes the body
//
// Formats are received, never imported (protocol.go). Nothing here knows a
// package, and no header that overrides the method is looked at.
package httpapi
