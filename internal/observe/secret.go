package observe

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Secret is a text that cannot be printed, marshalled, logged or compared with
// ==. The text sits in a function, so that even printing a struct that has a
// Secret in an unexported field shows nothing. The zero value is empty.
type Secret struct{ reveal func() string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{func() string { return text }} }

// Reveal gives the text, where it must be used.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsEmpty tells whether there is no text.
func (s Secret) IsEmpty() bool { return s.Reveal() == "" }

// Equal compares in a time that does not depend on where the texts differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

const redacted = "[redacted]"

// Format hides the text from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText hides the text from JSON, XML and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
