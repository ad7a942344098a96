package httpapi

import "testing"

// An address that keeps the server busy with bodies that nobody wants is cut
// off, and no other.
func TestDrainsPerAddress(t *testing.T) {
	var d drains
	for range maxDrains {
		if !d.begin("192.0.2.1") {
			t.Fatal("refused below the cap")
		}
	}
	if d.begin("192.0.2.1") {
		t.Error("taken over the cap")
	}
	if !d.begin("192.0.2.2") {
		t.Error("another address was refused")
	}
	for range maxDrains {
		d.end("192.0.2.1")
	}
	d.end("192.0.2.2")
	if len(d.counts) != 0 {
		t.Errorf("counts left over: %v", d.counts)
	}
}
