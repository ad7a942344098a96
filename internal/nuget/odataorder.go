package nuget

import (
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
