package nuget

import (
	"strings"
)

// odataExpr is a checked expression.
type odataExpr interface {
	typ() odataType
	eval(row odataRow) odataValue
	// write prints the expression; what binds less tightly than outer goes into
	// parentheses.
	write(b *strings.Builder, outer odataBinding)
}

// odataBinding is how tightly an operator binds.
type odataBinding int

const (
	bindsOr odataBinding = iota
	bindsAnd
	bindsEquality
	bindsOrder
	bindsNot
	bindsWhole // names, literals, functions
)

func printOData(e odataExpr) string {
	var b strings.Builder
	e.write(&b, bindsOr)
	return b.String()
}

// inParentheses writes what binds less tightly than its surroundings want.
func inParentheses(b *strings.Builder, binds, outer odataBinding, inner func()) {
	if binds >= outer {
		inner()
		return
	}
	b.WriteByte('(')
	inner()
	b.WriteByte(')')
}

// odataLiteral is a value as written.
type odataLiteral struct {
	value odataValue
	text  string // its canonical spelling
}

func (l *odataLiteral) typ() odataType                               { return l.value.typ }
func (l *odataLiteral) eval(odataRow) odataValue                     { return l.value }
func (l *odataLiteral) write(b *strings.Builder, outer odataBinding) { b.WriteString(l.text) }

// odataProperty is a property of the entry.
type odataProperty struct{ column odataColumn }

func (p *odataProperty) typ() odataType { return p.column.typ }

func (p *odataProperty) eval(row odataRow) odataValue {
	v, ok := row.propertyOf(p.column.name)
	if !ok {
		return odataValue{}
	}
	return v
}

func (p *odataProperty) write(b *strings.Builder, _ odataBinding) { b.WriteString(p.column.name) }

// odataNegation is "not x"; of null it is null.
type odataNegation struct{ of odataExpr }

func (n *odataNegation) typ() odataType { return odataBool }

func (n *odataNegation) eval(row odataRow) odataValue {
	v := n.of.eval(row)
	if v.isNull() {
		return v
	}
	return odataTruth(!v.truth)
}

func (n *odataNegation) write(b *strings.Builder, outer odataBinding) {
	inParentheses(b, bindsNot, outer, func() {
		b.WriteString("not ")
		n.of.write(b, bindsNot)
	})
}

// odataLogic joins two or more conditions. Null counts as false.
type odataLogic struct {
	all   bool // and; else or
	terms []odataExpr
}

func (l *odataLogic) typ() odataType { return odataBool }

func (l *odataLogic) eval(row odataRow) odataValue {
	for _, term := range l.terms {
		if term.eval(row).isTrue() != l.all {
			return odataTruth(!l.all)
		}
	}
	return odataTruth(l.all)
}

func (l *odataLogic) write(b *strings.Builder, outer odataBinding) {
	binds, word := bindsOr, " or "
	if l.all {
		binds, word = bindsAnd, " and "
	}
	inParentheses(b, binds, outer, func() {
		for i, term := range l.terms {
			if i > 0 {
				b.WriteString(word)
			}
			term.write(b, binds+1)
		}
	})
}

// odataComparison is "a eq b" and its like.
type odataComparison struct {
	operator    string
	left, right odataExpr
}

// odataComparisons has what each operator makes of the order of its sides.
var odataComparisons = map[string]func(order int) bool{
	"eq": func(order int) bool { return order == 0 },
	"ne": func(order int) bool { return order != 0 },
	"gt": func(order int) bool { return order > 0 },
	"ge": func(order int) bool { return order >= 0 },
	"lt": func(order int) bool { return order < 0 },
	"le": func(order int) bool { return order <= 0 },
}

func (c *odataComparison) typ() odataType { return odataBool }

// isEquality tells eq and ne, which may be asked of null, from the others, which
// are false of it.
func (c *odataComparison) isEquality() bool { return c.operator == "eq" || c.operator == "ne" }

func (c *odataComparison) eval(row odataRow) odataValue {
	left, right := c.left.eval(row), c.right.eval(row)
	if (left.isNull() || right.isNull()) && !c.isEquality() {
		return odataTruth(false)
	}
	return odataTruth(odataComparisons[c.operator](compareOData(left, right)))
}

func (c *odataComparison) write(b *strings.Builder, outer odataBinding) {
	binds := bindsOrder
	if c.isEquality() {
		binds = bindsEquality
	}
	inParentheses(b, binds, outer, func() {
		c.left.write(b, binds+1)
		b.WriteString(" " + c.operator + " ")
		c.right.write(b, binds+1)
	})
}

// odataCall is a function with its arguments. A function of null is null.
type odataCall struct {
	name string
	function
	arguments []odataExpr
}

func (c *odataCall) typ() odataType { return c.result }

func (c *odataCall) eval(row odataRow) odataValue {
	var values [2]odataValue
	for i, argument := range c.arguments {
		if values[i] = argument.eval(row); values[i].isNull() {
			return odataValue{}
		}
	}
	return c.apply(values[0].text, values[1].text)
}

func (c *odataCall) write(b *strings.Builder, _ odataBinding) {
	b.WriteString(c.name)
	b.WriteByte('(')
	for i, argument := range c.arguments {
		if i > 0 {
			b.WriteByte(',')
		}
		argument.write(b, bindsOr)
	}
	b.WriteByte(')')
}
