package nuget

import (
	"math"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// odataParser reads the tokens of one expression by recursive descent. Types are
// checked on the way: an expression that cannot be answered is Invalid before
// any entry is looked at.
type odataParser struct {
	schema odataSchema
	tokens []odataToken
	depth  int
	calls  int
}

// parseOData reads an expression. What it does not know, or what asks for more
// than the bounds allow, is Invalid.
func parseOData(schema odataSchema, text string) (odataExpr, error) {
	p, err := newODataParser(schema, text)
	if err != nil {
		return nil, err
	}
	e, err := p.parseOr()
	if err != nil {
		return nil, err
	}
	return e, p.wantEnd()
}

// parseODataFilter reads a $filter: an expression that is true or false.
func parseODataFilter(schema odataSchema, text string) (odataExpr, error) {
	e, err := parseOData(schema, text)
	if err != nil {
		return nil, err
	}
	return e, wantOData(e, odataBool)
}

func newODataParser(schema odataSchema, text string) (*odataParser, error) {
	tokens, err := lexOData(text)
	return &odataParser{schema: schema, tokens: tokens}, err
}

func (p *odataParser) peek() odataToken { return p.tokens[0] }

// next takes a token; the end stays.
func (p *odataParser) next() odataToken {
	t := p.tokens[0]
	if t.kind != odataEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *odataParser) want(mark string) error {
	if t := p.next(); !t.is(mark) {
		return registry.Errorf(registry.Invalid, "%s was expected, not %s", mark, t)
	}
	return nil
}

func (p *odataParser) wantEnd() error {
	if t := p.peek(); t.kind != odataEnd {
		return registry.Errorf(registry.Invalid, "%s was not expected here", t)
	}
	return nil
}

func wantOData(e odataExpr, typ odataType) error {
	got := e.typ()
	if got == typ || got == odataNull || typ == odataText && got == odataVersion {
		return nil
	}
	return registry.Errorf(registry.Invalid, "%s is %s where %s is needed", printOData(e), got, typ)
}

// nested runs a part of the grammar that may hold itself.
func (p *odataParser) nested(parse func() (odataExpr, error)) (odataExpr, error) {
	if p.depth++; p.depth > maxODataDepth {
		return nil, registry.Errorf(registry.Invalid, "the expression is nested deeper than %d", maxODataDepth)
	}
	defer func() { p.depth-- }()
	return parse()
}

func (p *odataParser) parseOr() (odataExpr, error)  { return p.parseLogic("or", p.parseAnd) }
func (p *odataParser) parseAnd() (odataExpr, error) { return p.parseLogic("and", p.parseEquality) }

// parseLogic reads one or more conditions with a word between them.
func (p *odataParser) parseLogic(word string, parse func() (odataExpr, error)) (odataExpr, error) {
	first, err := parse()
	if err != nil || !p.peek().isWord(word) {
		return first, err
	}
	all := word == "and"
	terms := appendODataTerm(nil, first, all)
	for p.peek().isWord(word) {
		p.next()
		term, err := parse()
		if err != nil {
			return nil, err
		}
		terms = appendODataTerm(terms, term, all)
	}
	for _, term := range terms {
		if err := wantOData(term, odataBool); err != nil {
			return nil, err
		}
	}
	return &odataLogic{all: all, terms: terms}, nil
}

// appendODataTerm takes the terms out of parentheses that change nothing.
func appendODataTerm(terms []odataExpr, term odataExpr, all bool) []odataExpr {
	if inner, ok := term.(*odataLogic); ok && inner.all == all {
		return append(terms, inner.terms...)
	}
	return append(terms, term)
}

func (p *odataParser) parseEquality() (odataExpr, error) {
	return p.parseComparison(p.parseOrder, "eq", "ne")
}

func (p *odataParser) parseOrder() (odataExpr, error) {
	return p.parseComparison(p.parseNot, "gt", "ge", "lt", "le")
}

// parseComparison reads at most one comparison: a row of them needs parentheses
// to mean anything.
func (p *odataParser) parseComparison(parse func() (odataExpr, error), operators ...string) (odataExpr, error) {
	left, err := parse()
	if err != nil {
		return nil, err
	}
	for _, operator := range operators {
		if !p.peek().isWord(operator) {
			continue
		}
		p.next()
		right, err := parse()
		if err != nil {
			return nil, err
		}
		return compareODataExprs(operator, left, right)
	}
	return left, nil
}

func (p *odataParser) parseNot() (odataExpr, error) {
	if !p.peek().isWord("not") {
		return p.parseWhole()
	}
	p.next()
	of, err := p.nested(p.parseNot)
	if err != nil {
		return nil, err
	}
	return &odataNegation{of: of}, wantOData(of, odataBool)
}

// parseWhole reads a name, a literal, a function or something in parentheses.
func (p *odataParser) parseWhole() (odataExpr, error) {
	switch t := p.next(); t.kind {
	case odataQuoted:
		return newODataText(t.text), nil
	case odataDigits:
		return parseODataNumber(t.text)
	case odataDated:
		at, err := parseODataTime(t.text)
		return &odataLiteral{odataTimeOf(at), t.String()}, err
	case odataWord:
		if p.peek().is("(") {
			return p.parseCall(t.text)
		}
		return p.parseName(t.text)
	case odataMark:
		if t.is("(") {
			e, err := p.nested(p.parseOr)
			if err != nil {
				return nil, err
			}
			return e, p.want(")")
		}
		return nil, registry.Errorf(registry.Invalid, "%s was not expected here", t)
	}
	return nil, registry.Errorf(registry.Invalid, "the expression ends too early")
}

func (p *odataParser) parseName(name string) (odataExpr, error) {
	switch lower := strings.ToLower(name); lower {
	case "true", "false":
		return &odataLiteral{odataTruth(lower == "true"), lower}, nil
	case "null":
		return &odataLiteral{odataValue{}, lower}, nil
	default:
		column, ok := p.schema[lower]
		if !ok {
			return nil, registry.Errorf(registry.Invalid, "there is no property %s", name)
		}
		return &odataProperty{column}, nil
	}
}

func (p *odataParser) parseCall(name string) (odataExpr, error) {
	name = strings.ToLower(name)
	f, ok := odataFunctions[name]
	if !ok {
		return nil, registry.Errorf(registry.Invalid, "there is no function %s here", name)
	}
	if p.calls++; p.calls > maxODataCalls {
		return nil, registry.Errorf(registry.Invalid, "the expression has more than %d functions", maxODataCalls)
	}
	p.next() // the parenthesis
	call := &odataCall{name: name, function: f}
	for i := range f.arity {
		if i > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
		argument, err := p.nested(p.parseOr)
		if err != nil {
			return nil, err
		}
		if err := wantOData(argument, odataText); err != nil {
			return nil, err
		}
		call.arguments = append(call.arguments, argument)
	}
	return call, p.want(")")
}

func newODataText(s string) *odataLiteral { return &odataLiteral{odataTextOf(s), quoteOData(s)} }

// parseODataNumber reads a number; the letter of its type, as in 1L or 1.5M, is
// dropped.
func parseODataNumber(text string) (odataExpr, error) {
	digits := strings.TrimRight(text, "lLmMfFdD")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || len(text)-len(digits) > 1 || math.IsInf(n, 0) || math.IsNaN(n) || strings.ContainsAny(digits, "xXpP_") {
		return nil, registry.Errorf(registry.Invalid, "%s is not a number", text)
	}
	return &odataLiteral{odataNumberOf(n), formatODataNumber(n)}, nil
}

// compareODataExprs makes a comparison. Text that is compared with a version
// must be one.
func compareODataExprs(operator string, left, right odataExpr) (odataExpr, error) {
	c := &odataComparison{operator: operator, left: left, right: right}
	var err error
	switch l, r := left.typ(), right.typ(); {
	case l == odataVersion && r == odataText:
		c.right, err = odataVersionLiteral(right)
	case l == odataText && r == odataVersion:
		c.left, err = odataVersionLiteral(left)
	case l == odataNull || r == odataNull:
	case l != r, l == odataBool && !c.isEquality():
		err = registry.Errorf(registry.Invalid, "%s is %s and %s is %s: %s does not compare them", printOData(left), l, printOData(right), r, operator)
	}
	return c, err
}

func odataVersionLiteral(e odataExpr) (odataExpr, error) {
	literal, ok := e.(*odataLiteral)
	if !ok {
		return nil, registry.Errorf(registry.Invalid, "%s is not a version", printOData(e))
	}
	v, err := ParseVersion(literal.value.text)
	return &odataLiteral{odataVersionOf(v), literal.text}, err
}
