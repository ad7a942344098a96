package blob

import "os"

// OnSync calls each with every file and directory that a local bucket makes
// durable from now on, before it does; an error of each is the disk's.
func OnSync(b *Bucket, each func(*os.File) error) {
	f := b.store.(*folder)
	next := f.sync
	f.sync = func(file *os.File) error {
		if err := each(file); err != nil {
			return err
		}
		return next(file)
	}
}
