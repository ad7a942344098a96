package registry

import "io"

// Spool takes a body on its way in: in memory up to a bound, then in a file of
// the spool folder. One pass over the bytes computes every digest. A Spool
// belongs to one goroutine. Close it: that removes the file.
type Spool struct {
	w io.Writer
}
