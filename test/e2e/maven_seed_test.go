package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// mavenSeed is a local repository with the plugins that a usual deployment
// takes from Debian's repository, and nothing else. Each local repository begins
// as a copy of it: reading the same 250 files anew takes a quarter of the time
// of a short build.
var mavenSeed = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "seed")
	home, project, target := filepath.Join(dir, "home"), filepath.Join(dir, "project"), filepath.Join(dir, "target")
	// The folder stands for a remote repository.
	login := mavenLogin{url: "file://" + target}
	p := mavenProject{Group: "org.seed", Artifact: "seed", Version: "1.0", Packaging: "jar", URL: "file://" + target, Sources: true}
	if err := errors.Join(login.write(home), p.write(project, "seed")); err != nil {
		return "", err
	}
	repository := filepath.Join(home, "repository")
	if out, err := mavenIn("mvn3.8", home, project, []string{"deploy"}); err != nil {
		return "", fmt.Errorf("fill a local repository: %w\n%s", err, out)
	}
	// What was deployed was installed as well.
	return repository, os.RemoveAll(filepath.Join(repository, "org", "seed"))
})

// plantSeed makes the local repository of a HOME, unless it has one. Large files
// are links: nobody writes to them. Maven does write to its own notes on them.
func plantSeed(home string) error {
	to := filepath.Join(home, "repository")
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	from, err := mavenSeed()
	if err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		switch filepath.Ext(name) {
		case ".jar", ".pom":
			return os.Link(path, target)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}
