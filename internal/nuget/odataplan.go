package nuget

import (
	"cmp"
	"slices"
)

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

// odataPrefix gives what the id must begin with for a filter to be true, in lower
// case; empty when any may do. It finds "startswith(Id,'x')" wherever all else
// depends on it.
func odataPrefix(e odataExpr) string {
	switch e := e.(type) {
	case *odataCall:
		literal, ok := e.arguments[len(e.arguments)-1].(*odataLiteral)
		if ok && e.name == "startswith" && isODataID(e.arguments[0]) {
			return foldID(literal.value.text)
		}
	case *odataLogic:
		longest := ""
		for _, term := range e.terms {
			if prefix := odataPrefix(term); e.all && len(prefix) > len(longest) {
				longest = prefix
			}
		}
		return longest
	case *odataComparison:
		if literal, ok := e.right.(*odataLiteral); ok && e.operator == "eq" && literal.value.isTrue() {
			return odataPrefix(e.left)
		}
	}
	return ""
}

// odataCalls counts the functions of an expression.
func odataCalls(e odataExpr) int64 {
	var n int64
	switch e := e.(type) {
	case *odataCall:
		n++
		for _, argument := range e.arguments {
			n += odataCalls(argument)
		}
	case *odataNegation:
		n = odataCalls(e.of)
	case *odataLogic:
		for _, term := range e.terms {
			n += odataCalls(term)
		}
	case *odataComparison:
		n = odataCalls(e.left) + odataCalls(e.right)
	}
	return n
}
