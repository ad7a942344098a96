package main

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"mime"
	"mime/multipart"
	"testing"
)

func TestPush(t *testing.T) {
	p, err := newPush(newPacker(), "Bench.A", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(p.contentType)
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(bytes.NewReader(p.body), params["boundary"]).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	file, err := packed.Open("Bench.A.nuspec")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var described struct {
		ID      string `xml:"metadata>id"`
		Version string `xml:"metadata>version"`
		Groups  []struct {
			Dependencies []struct{} `xml:"dependency"`
		} `xml:"metadata>dependencies>group"`
	}
	if err := xml.NewDecoder(file).Decode(&described); err != nil {
		t.Fatal(err)
	}
	if described.ID != "Bench.A" || described.Version != "1.2.3" || len(described.Groups) != 3 || len(described.Groups[0].Dependencies) != 3 {
		t.Errorf("got %+v", described)
	}
	if size := packed.File[1].UncompressedSize64; size != smallPayload {
		t.Errorf("the payload has %d bytes", size)
	}
}
