// Package blob keeps bodies in a bucket: a local folder, memory, or a remote
// object store. It is the only package that knows gocloud.
//
// Two things stand behind a Bucket. Local folders are ours (folder.go), because
// gocloud's file driver neither makes a write durable nor refuses symbolic
// links; the folder's layout is that driver's all the same: a blob's key is its
// path. Everything else goes through gocloud (remote.go).
//
// Keys are made by package registry from digests, never from a client's text.
// Whatever is not of their form is refused here once more.
//
// What it leaves to others: which bytes are stored under which key, and whether
// a row names them.
package blob
