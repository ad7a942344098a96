package e2e

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash"
	"net/http"
)

// checksumKinds are the sidecars that every file has, with what makes them.
var checksumKinds = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

// checksum is a value as Maven's repositories carry it: lower-case hex, bare.
func checksum(kind string, content []byte) string {
	h := checksumKinds[kind]()
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// get downloads what must be there.
func (r raw) get(ctx context.Context, url string) ([]byte, error) {
	status, answer, err := r.do(ctx, http.MethodGet, url, nil)
	if err == nil && status != http.StatusOK {
		err = &statusError{status, string(answer)}
	}
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", url, err)
	}
	return answer, nil
}

// put uploads; the answer is 200 or 201.
func (r raw) put(ctx context.Context, url string, content []byte) error {
	status, answer, err := r.do(ctx, http.MethodPut, url, bytes.NewReader(content))
	if err == nil && status != http.StatusOK && status != http.StatusCreated {
		err = &statusError{status, string(answer)}
	}
	if err != nil {
		return fmt.Errorf("PUT %s: %w", url, err)
	}
	return nil
}

// putSum uploads a checksum, which is also accepted with 202 or 204.
func (r raw) putSum(ctx context.Context, url, kind string, content []byte) error {
	status, answer, err := r.do(ctx, http.MethodPut, url+"."+kind, bytes.NewReader([]byte(checksum(kind, content))))
	if err == nil && status/100 != 2 {
		err = &statusError{status, string(answer)}
	}
	if err != nil {
		return fmt.Errorf("PUT %s.%s: %w", url, kind, err)
	}
	return nil
}

// checkSums compares the four checksums that are served with the file's own.
func (r raw) checkSums(url string) error {
	ctx := context.Background()
	content, err := r.get(ctx, url)
	if err != nil {
		return err
	}
	for kind := range checksumKinds {
		got, err := r.get(ctx, url+"."+kind)
		if err != nil {
			return err
		}
		if want := checksum(kind, content); string(got) != want {
			return fmt.Errorf("%s.%s is %q, not %q", url, kind, got, want)
		}
	}
	return nil
}

// mavenMetadata is a maven-metadata.xml of any level.
type mavenMetadata struct {
	XMLName    xml.Name      `xml:"metadata"`
	GroupID    string        `xml:"groupId,omitempty"`
	ArtifactID string        `xml:"artifactId,omitempty"`
	Version    string        `xml:"version,omitempty"`
	Versioning *versioning   `xml:"versioning"`
	Plugins    []mavenPlugin `xml:"plugins>plugin"`
}

type versioning struct {
	Latest           string          `xml:"latest,omitempty"`
	Release          string          `xml:"release,omitempty"`
	Snapshot         *snapshotBuild  `xml:"snapshot"`
	Versions         []string        `xml:"versions>version"`
	LastUpdated      string          `xml:"lastUpdated,omitempty"`
	SnapshotVersions []snapshotEntry `xml:"snapshotVersions>snapshotVersion"`
}

type snapshotBuild struct {
	Timestamp   string `xml:"timestamp"`
	BuildNumber int    `xml:"buildNumber"`
}

type snapshotEntry struct {
	Classifier string `xml:"classifier,omitempty"`
	Extension  string `xml:"extension"`
	Value      string `xml:"value"`
	Updated    string `xml:"updated"`
}

type mavenPlugin struct {
	Name       string `xml:"name,omitempty"`
	Prefix     string `xml:"prefix"`
	ArtifactID string `xml:"artifactId"`
}

// metadata reads the maven-metadata.xml of a folder; an absent one is empty.
func (r raw) metadata(ctx context.Context, folder string) (mavenMetadata, error) {
	var m mavenMetadata
	status, answer, err := r.do(ctx, http.MethodGet, folder+"/maven-metadata.xml", nil)
	switch {
	case err != nil:
		return m, err
	case status == http.StatusNotFound:
		return m, nil
	case status != http.StatusOK:
		return m, &statusError{status, string(answer)}
	}
	return m, xml.Unmarshal(answer, &m)
}

// versions are those that a folder's metadata lists.
func (m mavenMetadata) versions() []string {
	if m.Versioning == nil {
		return nil
	}
	return m.Versioning.Versions
}
