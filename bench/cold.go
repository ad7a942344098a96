package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// coldTarget is how long the first byte of a document that nobody asked for
// before may take.
const coldTarget = 300 * time.Millisecond

// measureCold asks servers that were just started for the large packument.
func (b *bench) measureCold(ctx context.Context, w *world) error {
	for _, coding := range []string{"gzip", "identity"} {
		var took []time.Duration
		for range 3 {
			if err := w.restart(ctx); err != nil {
				return err
			}
			d, err := w.firstByte(ctx, escapeName(large), w.header("Accept-Encoding", coding))
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		m := median(took)
		b.table.add(row{
			work: fmt.Sprintf("cold packument of %d versions, %s: first byte", b.versions, coding),
			ours: round(m).String(), target: "≤ " + coldTarget.String(), met: verdict(m <= coldTarget),
		})
	}
	return nil
}

// firstByte tells how long a request waits for the first byte of the body.
func (w *world) firstByte(ctx context.Context, path string, header http.Header) (time.Duration, error) {
	start := time.Now()
	res, err := open(ctx, w.client, w.registry+path, header)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 1)); err != nil {
		return 0, err
	}
	took := time.Since(start)
	_, err = io.Copy(io.Discard, res.Body)
	return took, err
}
