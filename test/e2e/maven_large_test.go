package e2e

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mavenLargeSize is far more than a server reads away by itself.
const mavenLargeSize = 200 << 20

// TestMavenLargeUpload deploys 200 MB with Maven 4, whose transport on Java 17
// sends a whole body before it knows that a credential is wanted: one refusal,
// then success, and no broken connection (maven.md 20, number 15).
func TestMavenLargeUpload(t *testing.T) {
	t.Parallel()
	needJava(t, "mvn4")
	for _, secure := range []bool{false, true} {
		name := map[bool]string{false: "http", true: "https"}[secure]
		t.Run(name, func(t *testing.T) {
			var settings map[string]string
			var trust []string
			if secure {
				settings, trust = borrowCertificate(t)
			}
			s := serve(t, settings)
			w, err := mavenWorld(s, "large")
			if err != nil {
				t.Fatal(err)
			}
			d := newDeployer(w)
			dir := t.TempDir()
			if err := d.deployLarge(dir, trust); err != nil {
				t.Fatal(err)
			}
			refused, stored := s.countPuts(t)
			if refused > 1 || stored != 1 {
				t.Errorf("%d uploads were refused and %d large ones stored", refused, stored)
			}
		})
	}
}

// deployLarge has Maven 4 deploy a file of that size.
func (d mavenDeployer) deployLarge(dir string, more []string) error {
	file := filepath.Join(dir, "large.bin")
	if err := writeRandom(file, mavenLargeSize); err != nil {
		return err
	}
	return d.deployFileBy("mvn4", dir, "org.large", "lib", "1.0", "zip", []byte("replaced"), append(more, "-Dfile="+file)...)
}

// countPuts tells from the server's log how many uploads were answered by 401,
// and how many of that size by 201.
func (s *server) countPuts(t *testing.T) (refused, stored int) {
	t.Helper()
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(log))
	for lines.Scan() {
		var line struct {
			Method   string
			Status   int
			Received int64 `json:"received_bytes"`
			Aborted  bool
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Method != http.MethodPut {
			continue // what is no request is text for people
		}
		if line.Aborted {
			t.Errorf("a connection broke: %s", lines.Text())
		}
		switch {
		case line.Status == http.StatusUnauthorized:
			refused++
		case line.Status == http.StatusCreated && line.Received >= mavenLargeSize:
			stored++
		}
	}
	return refused, stored
}

// borrowCertificate makes a server's settings from the certificate that net/http
// tests with, and the options by which Java trusts it.
func borrowCertificate(t *testing.T) (settings map[string]string, trust []string) {
	t.Helper()
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	defer borrowed.Close()
	key, err := x509.MarshalPKCS8PrivateKey(borrowed.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, store := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "trust.p12")
	settings = map[string]string{"REGISTRY_TLS_CERT": cert, "REGISTRY_TLS_KEY": filepath.Join(dir, "key.pem")}
	err = errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: borrowed.Certificate().Raw}), 0o600),
		os.WriteFile(settings["REGISTRY_TLS_KEY"], pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("keytool", "-importcert", "-noprompt", "-file", cert, "-keystore", store,
		"-storetype", "PKCS12", "-storepass", "trusted", "-alias", "tests").CombinedOutput()
	if err != nil {
		t.Fatalf("keytool: %v\n%s", err, out)
	}
	return settings, strings.Fields("-Djavax.net.ssl.trustStore=" + store + " -Djavax.net.ssl.trustStorePassword=trusted")
}
