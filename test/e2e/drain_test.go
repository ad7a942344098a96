package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// TestDrain stops the server in the middle of requests: they are finished,
// nothing new is taken, and the server ends well.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	w, err := newWorld(s, "drain")
	if err != nil {
		t.Fatal(err)
	}
	caller := newRaw(w.vars["PROJECT"], w.vars["RW"])
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	// More than the sockets between the two can hold.
	large, err := newArtifact("@drain/large", "1.0.0", 48<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.publish(ctx, large); err != nil {
		t.Fatal(err)
	}
	p, err := caller.packument(ctx, large.name)
	if err != nil {
		t.Fatal(err)
	}

	download, err := beginDownload(ctx, caller, p.Versions["1.0.0"].Dist.Tarball)
	if err != nil {
		t.Fatal(err)
	}
	defer download.Close()
	other, err := newArtifact("@drain/other", "1.0.0", 2<<20)
	if err != nil {
		t.Fatal(err)
	}
	upload, err := beginPublish(ctx, caller, other)
	if err != nil {
		t.Fatal(err)
	}

	stopAccepting(t, s)

	if err := upload.finish(); err != nil {
		t.Errorf("the publish that had begun: %v", err)
	}
	rest, err := io.ReadAll(download)
	if err != nil {
		t.Errorf("the download that had begun: %v", err)
	}
	if !bytes.Equal(rest, large.tarball[1:]) {
		t.Errorf("the download that had begun has %d other bytes", len(rest))
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		t.Fatal("the server did not end after its last request")
	}
	// This also tells how the server ended.
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	p, err = caller.packument(ctx, other.name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.tarball(ctx, caller, "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, other.tarball) {
		t.Error("the version that was published while the server stopped has other bytes")
	}
}

// stopAccepting asks the server to stop and waits until it takes nothing new.
func stopAccepting(t *testing.T, s *server) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func(ctx context.Context) error {
		// A new connection each time: an open one may be served to its end.
		fresh := newRaw("", "")
		defer fresh.http.CloseIdleConnections()
		status, _, err := fresh.do(ctx, http.MethodGet, s.url()+"/-/readiness", nil)
		if err != nil || status == http.StatusServiceUnavailable {
			return nil
		}
		return fmt.Errorf("readiness is still %d", status)
	})
}

// beginDownload reads the first byte of a file.
func beginDownload(ctx context.Context, r raw, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := r.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, &statusError{status: res.StatusCode}
	}
	_, err = io.ReadFull(res.Body, make([]byte, 1))
	return res.Body, err
}

// upload is a publish of which half the body was sent.
type upload struct {
	rest   []byte
	pipe   *io.PipeWriter
	result chan error
}

// beginPublish returns when the server has asked for the body, and so is at
// work on the request.
func beginPublish(ctx context.Context, r raw, a artifact) (*upload, error) {
	body, err := a.document("latest")
	if err != nil {
		return nil, err
	}
	half := len(body) / 2
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.registry+escapeName(a.name), reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Expect", "100-continue")
	u := &upload{rest: body[half:], pipe: writer, result: make(chan error, 1)}
	go func() {
		u.result <- u.send(req)
		reader.CloseWithError(io.ErrClosedPipe)
	}()
	_, err = writer.Write(body[:half])
	return u, err
}

// send does the request; its body waits until the server asks for it.
func (u *upload) send(req *http.Request) error {
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = &statusError{res.StatusCode, string(answer)}
	}
	return err
}

// finish sends the rest and gives what came of it.
func (u *upload) finish() error {
	if _, err := u.pipe.Write(u.rest); err != nil {
		return <-u.result
	}
	if err := u.pipe.Close(); err != nil {
		return err
	}
	return <-u.result
}
