package maven

import "strings"

// Algorithm is a checksum's algorithm; the zero value is none.
type Algorithm string

// The algorithms that clients ask for and send.
const (
	MD5    Algorithm = "md5"
	SHA1   Algorithm = "sha1"
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// Algorithms lists all algorithms, in the order in which listings show them.
var Algorithms = [...]Algorithm{MD5, SHA1, SHA256, SHA512}

// Suffix is what a checksum's name has behind that of its file.
func (a Algorithm) Suffix() string { return "." + string(a) }

// signatureSuffixes are those of GnuPG, SSH and Sigstore (maven.md 2.4).
var signatureSuffixes = [...]string{".asc", ".sig", ".sigstore.json", ".sigstore"}

// splitFile takes the suffixes off the file's name: a checksum's, then a
// signature's. A signature of a checksum is a file like any other, so that
// app.jar.sha1.asc keeps its name.
func (p *Path) splitFile() {
	p.Subject = p.File
	if name, algorithm, ok := cutChecksum(p.File); ok {
		p.Subject, p.Checksum = name, algorithm
	}
	p.Base = p.Subject
	for _, suffix := range signatureSuffixes {
		name, ok := strings.CutSuffix(p.Subject, suffix)
		if !ok || name == "" {
			continue
		}
		if _, _, checksum := cutChecksum(name); !checksum {
			p.Base, p.Signature = name, true
		}
		return
	}
}

func cutChecksum(file string) (name string, algorithm Algorithm, ok bool) {
	for _, algorithm := range Algorithms {
		if name, ok := strings.CutSuffix(file, algorithm.Suffix()); ok && name != "" {
			return name, algorithm, true
		}
	}
	return file, "", false
}
