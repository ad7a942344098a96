package blob

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// durableDirs is the set of directories for blobs whose names are known to have
// reached the disk. Each process finds out anew: that a directory exists does
// not tell whether it outlives a power cut.
type durableDirs struct {
	mu   sync.RWMutex
	bits [(1+1<<8)/64 + 1]uint64
}

func (d *durableDirs) has(dir string) bool {
	i := dirIndex(dir)
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.bits[i/64]>>(i%64)&1 == 1
}

func (d *durableDirs) add(dir string) {
	i := dirIndex(dir)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bits[i/64] |= 1 << (i % 64)
}

func (d *durableDirs) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.bits[:])
}

// dirIndex numbers the directories of valid keys: sha256, then sha256/ab.
func dirIndex(dir string) uint64 {
	hex := strings.ReplaceAll(strings.TrimPrefix(dir, blobsDir), "/", "")
	if hex == "" {
		return 0
	}
	n, _ := strconv.ParseUint(hex, 16, 8) // the key was checked
	return 1 + n
}

// syncFile makes a file's bytes or a directory's names survive a power cut.
func syncFile(f *os.File) error {
	if runtime.GOOS == "windows" {
		// Windows cannot flush a directory, and NTFS journals its names itself.
		if info, err := f.Stat(); err != nil || info.IsDir() {
			return err
		}
	}
	return f.Sync()
}

func absentIsFine(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
