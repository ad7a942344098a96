// Package lane answers simple reads over HTTP/1.1 for a handler, and leaves
// everything else to net/http.
//
// A simple read is a GET or HEAD on a plain TCP connection whose head arrives
// whole, is spelled the usual way and speaks of no body, no upgrade and no
// trailer: what package clients send when they install. For it the lane spends
// less than half of net/http's work: one allocation of text for all header
// fields, no goroutine, one system call for the answer.
//
// A Listener stands between the real one and an http.Server. It serves each
// connection itself until a request comes that is not a simple read; then the
// http.Server accepts the connection, with every byte of that request unread,
// and keeps it. So the lane refuses nothing and interprets nothing that is odd:
// whatever it takes, http.ReadRequest would read in the same way (FuzzParse).
//
// Handlers see what net/http would give them, but Hijack, full duplex and
// informational (1xx) answers, none of which a read needs. A request's context
// ends when its client leaves, or with the connection.
package lane
