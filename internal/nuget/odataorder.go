package nuget

import (
	"cmp"
	"slices"

	"pakhus/internal/registry"
)

// odataOrder is a parsed $orderby.
type odataOrder []odataSortKey

type odataSortKey struct {
	by         odataExpr
	descending bool
}

// maxODataSortKeys bounds the keys of an order.
const maxODataSortKeys = 8

// parseODataOrder reads a $orderby: expressions, each with asc or desc behind it
// or nothing. An empty text is no order.
func parseODataOrder(schema odataSchema, text string) (odataOrder, error) {
	p, err := newODataParser(schema, text)
	if err != nil || p.peek().kind == odataEnd {
		return nil, err
	}
	var order odataOrder
	for {
		by, err := p.parseOr()
		if err != nil {
			return nil, err
		}
		key := odataSortKey{by: by}
		switch t := p.peek(); {
		case t.isWord("desc"):
			key.descending = true
			p.next()
		case t.isWord("asc"):
			p.next()
		}
		if order = append(order, key); len(order) > maxODataSortKeys {
			return nil, registry.Errorf(registry.Invalid, "the order has more than %d keys", maxODataSortKeys)
		}
		if !p.peek().is(",") {
			return order, p.wantEnd()
		}
		p.next()
	}
}

// valuesOf gives what an entry is ordered by.
func (o odataOrder) valuesOf(row odataRow) []odataValue {
	values := make([]odataValue, len(o))
	for i, key := range o {
		values[i] = key.by.eval(row)
	}
	return values
}

// compare orders two entries by their values.
func (o odataOrder) compare(a, b []odataValue) int {
	for i, key := range o {
		c := compareOData(a[i], b[i])
		if key.descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// odataIDs tells which packages a filter can be true of at all: those whose
// lower-case ids are given, when it is bounded, else any. It finds
// "Id eq 'x'" and "tolower(Id) eq 'x'" wherever all else depends on them.
func odataIDs(e odataExpr) (ids []string, bounded bool) {
	switch e := e.(type) {
	case *odataComparison:
		if e.operator == "eq" {
			return odataIDOf(e.left, e.right)
		}
	case *odataLogic:
		if e.all {
			return odataIDsOfAll(e.terms)
		}
		return odataIDsOfAny(e.terms)
	}
	return nil, false
}

// odataIDsOfAll takes the narrowest of conditions that must all be true.
func odataIDsOfAll(terms []odataExpr) (ids []string, bounded bool) {
	for _, term := range terms {
		narrow, ok := odataIDs(term)
		if ok && (!bounded || len(narrow) < len(ids)) {
			ids, bounded = narrow, true
		}
	}
	return ids, bounded
}

// odataIDsOfAny joins the ids of conditions of which one must be true.
func odataIDsOfAny(terms []odataExpr) (ids []string, bounded bool) {
	for _, term := range terms {
		more, ok := odataIDs(term)
		if !ok {
			return nil, false
		}
		ids = append(ids, more...)
	}
	slices.SortFunc(ids, cmp.Compare)
	return slices.Compact(ids), true
}

func odataIDOf(left, right odataExpr) (ids []string, bounded bool) {
	if _, ok := left.(*odataLiteral); ok {
		left, right = right, left
	}
	literal, ok := right.(*odataLiteral)
	if !ok || literal.typ() != odataText || !isODataID(left) {
		return nil, false
	}
	return []string{foldID(literal.value.text)}, true
}

// isODataID finds the id, also in a function that only changes its case: case
// does not count when text is compared.
func isODataID(e odataExpr) bool {
	if call, ok := e.(*odataCall); ok && (call.name == "tolower" || call.name == "toupper") {
		e = call.arguments[0]
	}
	property, ok := e.(*odataProperty)
	return ok && property.column.isID
}
