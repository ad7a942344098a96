// Package serve hands bytes to clients: files from the bucket, and documents
// that were prepared when their package changed.
//
// All formats answer through it, so that ranges, HEAD and conditional requests
// work alike everywhere, and a local file reaches the socket by sendfile. What
// their addresses have in common is read here too. It knows nothing of packages
// and decides nothing: whoever calls it has asked the gate already.
package serve
