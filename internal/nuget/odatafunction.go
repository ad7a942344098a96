package nuget

import (
	"strings"
	"unicode/utf8"
)

// function is one of the functions on text. All arguments are text.
type function struct {
	arity  int // one or two
	result odataType
	apply  func(a, b string) odataValue
}

// maxODataText bounds what concat makes: above any property, so that it only
// stops expressions that were made to grow.
const maxODataText = 64 << 10

// odataFunctions are the functions of nuget.md 12.2, by name. Text is searched
// without regard to case, as it is compared.
var odataFunctions = map[string]function{
	"tolower": {1, odataText, func(a, _ string) odataValue { return odataTextOf(foldID(a)) }},
	"toupper": {1, odataText, func(a, _ string) odataValue { return odataTextOf(strings.ToUpper(a)) }},
	"trim":    {1, odataText, func(a, _ string) odataValue { return odataTextOf(strings.TrimSpace(a)) }},
	"length":  {1, odataNumber, func(a, _ string) odataValue { return odataNumberOf(float64(utf8.RuneCountInString(a))) }},
	"concat":  {2, odataText, concatOData},
	"startswith": {2, odataBool, func(a, b string) odataValue {
		return odataTruth(strings.HasPrefix(foldID(a), foldID(b)))
	}},
	"endswith": {2, odataBool, func(a, b string) odataValue {
		return odataTruth(strings.HasSuffix(foldID(a), foldID(b)))
	}},
	// The text that is searched for comes first.
	"substringof": {2, odataBool, func(a, b string) odataValue {
		return odataTruth(strings.Contains(foldID(b), foldID(a)))
	}},
	"indexof": {2, odataNumber, indexOData},
}

func concatOData(a, b string) odataValue {
	if len(a)+len(b) > maxODataText {
		return odataValue{}
	}
	return odataTextOf(a + b)
}

// indexOData counts characters, from 0; -1 says that there is none.
func indexOData(a, b string) odataValue {
	a = foldID(a)
	i := strings.Index(a, foldID(b))
	if i < 0 {
		return odataNumberOf(-1)
	}
	return odataNumberOf(float64(utf8.RuneCountInString(a[:i])))
}
