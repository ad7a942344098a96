package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// maxBody bounds the body of a call, in bytes.
const maxBody = 1 << 20

// params are the parameters of a call, from its query and its body. GitLab
// takes them as JSON, as a form, and as multipart; unknown ones are ignored, and
// of repeated ones the last counts.
type params struct {
	c      echo.Context
	values map[string][]string
	lists  map[string]bool // came as a list
	odd    map[string]bool // neither scalar nor list of scalars
}

// readParams reads them. Invalid, when they cannot be understood; TooLarge.
func readParams(c echo.Context) (params, error) {
	p := params{c: c, values: map[string][]string{}, lists: map[string]bool{}, odd: map[string]bool{}}
	p.addForm(c.QueryParams())
	body, err := io.ReadAll(io.LimitReader(c.Request().Body, maxBody+1))
	if err != nil {
		if registry.KindOf(err) != registry.Internal {
			return p, err
		}
		return p, registry.Wrapf(registry.Invalid, err, "400 Bad request - the body could not be read")
	}
	if len(body) > maxBody {
		return p, registry.Errorf(registry.TooLarge, "413 Request Entity Too Large - a body has at most 1 MiB here")
	}
	if len(body) == 0 {
		return p, nil
	}
	return p, p.addBody(c.Request().Header.Get(echo.HeaderContentType), body)
}

func (p params) addBody(contentType string, body []byte) error {
	media, attributes, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return badParam(p.c, "The provided content-type is invalid")
	}
	switch {
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		return p.addJSON(body)
	case media == "application/x-www-form-urlencoded" || media == "":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return badParam(p.c, "The form in the body cannot be read")
		}
		p.addForm(form)
		return nil
	case media == "multipart/form-data":
		return p.addMultipart(body, attributes["boundary"])
	}
	return badParam(p.c, "The provided content-type is not supported: send JSON or a form")
}

// addForm takes scopes[]=a&scopes[]=b as the list scopes.
func (p params) addForm(form url.Values) {
	for key, values := range form {
		name, list := strings.CutSuffix(key, "[]")
		p.values[name] = values
		p.lists[name] = list
	}
}

func (p params) addMultipart(body []byte, boundary string) error {
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(maxBody)
	if err != nil {
		return badParam(p.c, "The multipart form in the body cannot be read")
	}
	p.addForm(form.Value)
	return form.RemoveAll()
}

func (p params) addJSON(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
	err := decoder.Decode(&object)
	if err == nil {
		_, err = decoder.Token()
	}
	if !errors.Is(err, io.EOF) {
		return badParam(p.c, "The body is not a JSON object")
	}
	for name, value := range object {
		p.values[name], p.lists[name], p.odd[name] = nil, false, false
		if value == nil {
			delete(p.values, name)
		} else if text, ok := scalar(value); ok {
			p.values[name] = []string{text}
		} else if list, ok := value.([]any); ok {
			p.lists[name] = true
			p.addList(name, list)
		} else {
			p.odd[name] = true
		}
	}
	return nil
}

func (p params) addList(name string, list []any) {
	p.values[name] = []string{}
	for _, element := range list {
		text, ok := scalar(element)
		if !ok {
			p.odd[name] = true
		}
		p.values[name] = append(p.values[name], text)
	}
}

// scalar is the text of a JSON value that is neither object, list nor null.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// has tells whether a parameter was sent, and not as null.
func (p params) has(name string) bool {
	_, ok := p.values[name]
	return ok
}

// text reads a parameter that is one text; absent is empty.
func (p params) text(name string) (string, error) {
	values := p.values[name]
	if p.lists[name] || p.odd[name] {
		return "", badParam(p.c, name+" is invalid")
	}
	if len(values) == 0 {
		return "", nil
	}
	text := values[len(values)-1]
	if !cleanText(text) {
		return "", badParam(p.c, name+" is invalid")
	}
	return text, nil
}

// list reads a parameter that is a list, or one text with commas in it.
func (p params) list(name string) ([]string, error) {
	values := p.values[name]
	if p.odd[name] {
		return nil, badParam(p.c, name+" is invalid")
	}
	if p.lists[name] || len(values) == 0 {
		return values, nil
	}
	if values[len(values)-1] == "" {
		return nil, nil
	}
	return strings.Split(values[len(values)-1], ","), nil
}

// id reads a parameter that is an id; absent is 0.
func (p params) id(name string) (int64, error) {
	text, err := p.text(name)
	if err != nil || text == "" {
		return 0, err
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, badParam(p.c, name+" is invalid")
	}
	return id, nil
}

// require refuses a call that lacks parameters, naming all of them.
func (p params) require(names ...string) error {
	var missing []string
	for _, name := range names {
		if !p.has(name) && !p.odd[name] {
			missing = append(missing, name+" is missing")
		}
	}
	if missing != nil {
		return badParam(p.c, strings.Join(missing, ", "))
	}
	return nil
}
