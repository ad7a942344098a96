package maven

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

const testSHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

func TestParseChecksum(t *testing.T) {
	upper := strings.ToUpper(testSHA1)
	tests := []struct {
		name string
		a    Algorithm
		in   string
		want string // empty: refused
	}{
		{"bare", SHA1, testSHA1, testSHA1},
		{"upper case", SHA1, upper, testSHA1},
		{"line feed", SHA1, testSHA1 + "\n", testSHA1},
		{"carriage return", SHA1, testSHA1 + "\r\n", testSHA1},
		{"empty lines before", SHA1, "\n \n" + testSHA1, testSHA1},
		{"sha1sum", SHA1, testSHA1 + "  app-1.0.jar\n", testSHA1},
		{"sha1sum, binary", SHA1, testSHA1 + " *target/app-1.0.jar\n", testSHA1},
		{"tab", SHA1, testSHA1 + "\tapp.jar", testSHA1},
		{"name first", SHA1, "app-1.0.jar= " + testSHA1, testSHA1},
		{"OpenSSL", SHA1, "SHA1(app-1.0.jar)= " + testSHA1 + "\n", testSHA1},
		{"BSD", SHA1, "SHA1 (app-1.0.jar) = " + upper, testSHA1},
		{"equals sign in the name behind", SHA1, testSHA1 + "  a=b.jar", testSHA1},
		{"equals sign in the name before", SHA1, "a=b.jar= " + testSHA1, testSHA1},
		{"second line", SHA1, testSHA1 + "\n" + strings.Repeat("0", 40), testSHA1},
		{"md5", MD5, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"},
		{"sha256", SHA256, strings.Repeat("0f", 32), strings.Repeat("0f", 32)},
		{"sha512", SHA512, strings.Repeat("f0", 64), strings.Repeat("f0", 64)},
		{"empty", SHA1, "", ""},
		{"blanks", SHA1, " \n\t", ""},
		{"too short", SHA1, testSHA1[1:], ""},
		{"too long", SHA1, testSHA1 + "0", ""},
		{"other algorithm", SHA256, testSHA1, ""},
		{"not hex", SHA1, testSHA1[1:] + "g", ""},
		{"full-width digit", SHA1, testSHA1[3:] + "１", ""},
		{"name alone", SHA1, "app-1.0.jar", ""},
		{"HTML", SHA1, "<html><body>404</body></html>", ""},
		{"no algorithm", "", "", ""},
		{"no algorithm, but text", "", "x", ""},
		{"far too long", SHA1, testSHA1 + strings.Repeat(" ", MaxChecksumBody), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseChecksum(tt.a, []byte(tt.in))
			if got != tt.want {
				t.Errorf("ParseChecksum(%q) = %q, want %q (%v)", tt.in, got, tt.want, err)
			}
			if (err != nil) != (tt.want == "") || err != nil && registry.KindOf(err) != registry.Invalid {
				t.Errorf("error %v", err)
			}
		})
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add(testSHA1, uint8(1))
	f.Add("SHA1(x)= "+testSHA1, uint8(1))
	f.Add("a=b", uint8(0))
	f.Fuzz(func(t *testing.T, s string, which uint8) {
		a := Algorithms[int(which)%len(Algorithms)]
		got, err := ParseChecksum(a, []byte(s))
		if err != nil {
			if got != "" || registry.KindOf(err) != registry.Invalid {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		if len(got) != a.hexLen() || strings.Trim(got, "0123456789abcdef") != "" || !strings.Contains(strings.ToLower(s), got) {
			t.Fatalf("ParseChecksum(%q) = %q", s, got)
		}
		for _, form := range []string{got, strings.ToUpper(got) + "\n", got + "  name", "name= " + got} {
			if again, err := ParseChecksum(a, []byte(form)); err != nil || again != got {
				t.Errorf("ParseChecksum(%q) = %q, %v", form, again, err)
			}
		}
	})
}
