package nuget

import (
	"strings"

	"pakhus/internal/registry"
)

// maxLicenseExpression bounds an SPDX expression, in characters (nuget.md 9),
// and so how deep its parentheses go.
const maxLicenseExpression = 500

// checkLicenseExpression checks the syntax of an SPDX expression: licenses, a
// plus sign behind them, WITH an exception, AND, OR and parentheses. Whether a
// license of the name exists is not asked. Anything else is Invalid.
func checkLicenseExpression(s string) error {
	if len(s) > maxLicenseExpression {
		return registry.Errorf(registry.Invalid, "the license expression is longer than %d characters", maxLicenseExpression)
	}
	p := licenseParser{words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))}
	if !p.expression() || len(p.words) > 0 {
		return registry.Errorf(registry.Invalid, "%q is not an SPDX license expression", s)
	}
	return nil
}

// licenseParser reads words from the left.
type licenseParser struct {
	words []string
}

// take removes the next word when it is the given one.
func (p *licenseParser) take(word string) bool {
	if len(p.words) == 0 || p.words[0] != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *licenseParser) expression() bool {
	for {
		if !p.operand() {
			return false
		}
		if !p.take("AND") && !p.take("OR") {
			return true
		}
	}
}

func (p *licenseParser) operand() bool {
	if p.take("(") {
		return p.expression() && p.take(")")
	}
	if !p.name(true) {
		return false
	}
	return !p.take("WITH") || p.name(false)
}

// name reads a license, which may have a plus sign, or an exception.
func (p *licenseParser) name(plus bool) bool {
	if len(p.words) == 0 {
		return false
	}
	word := p.words[0]
	p.words = p.words[1:]
	if plus {
		word = strings.TrimSuffix(word, "+")
	}
	switch word {
	case "", "AND", "OR", "WITH":
		return false
	}
	return !strings.ContainsFunc(word, isNoLicenseRune)
}

func isNoLicenseRune(r rune) bool {
	return r > 127 || !isLabelByte(byte(r)) && r != '.' && r != ':' // DocumentRef-x:LicenseRef-y
}
