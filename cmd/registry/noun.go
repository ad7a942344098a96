package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// with opens the parts, and closes them after the work. A command does not
// follow what servers change, so it remembers nothing.
func (a *app) with(ctx context.Context, work func(*parts) error) (err error) {
	p, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	p.packages.SetLive(false)
	p.tokens.SetLive(false)
	return forOperator(work(p))
}

// forOperator leaves the driver's words out of an error that the operator can
// act on without them.
func forOperator(err error) error {
	switch registry.KindOf(err) {
	case registry.Invalid, registry.NotFound, registry.Conflict:
		return errors.New(registry.Message(err))
	}
	return err
}

// pageSize is how many rows the commands ask the database for at a time.
const pageSize = 500

// everything reads all pages of a list, until one is not full.
func everything[T any](list func(registry.Page) ([]T, int64, error)) ([]T, error) {
	all := []T{}
	for page := (registry.Page{Number: 1, Size: pageSize}); ; page.Number++ {
		rows, _, err := list(page)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < page.Size {
			return all, nil
		}
	}
}

// maxSecretFile bounds a file with a secret, in bytes.
const maxSecretFile = 64 << 10

// readSecret reads a secret from a file, "-" for standard input, without the
// line break at its end.
func readSecret(name string, stdin io.Reader) (auth.Secret, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return auth.Secret{}, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSecretFile+1))
	switch {
	case err != nil:
		return auth.Secret{}, err
	case len(text) > maxSecretFile:
		return auth.Secret{}, errors.New("the file with the secret is too large")
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return auth.Secret{}, errors.New("the file with the secret is empty")
	}
	return auth.NewSecret(secret), nil
}

// span finds the project or group that two flags name; neither is all.
func (s *parts) span(ctx context.Context, project, group string) (registry.Span, error) {
	switch {
	case project != "":
		p, err := s.packages.Project(ctx, project)
		return registry.Span{ProjectID: p.ID}, err
	case group != "":
		g, err := s.packages.Group(ctx, group)
		return registry.Span{GroupID: g.ID}, err
	}
	return registry.Span{}, nil
}

// holder finds the group or project of a path. An id will not do: a group and a
// project may have the same.
func (s *parts) holder(ctx context.Context, path string) (registry.Span, error) {
	if strings.Trim(path, "0123456789") == "" {
		return registry.Span{}, registry.Errorf(registry.Invalid, "%q is not a path: an id could be a group's or a project's", path)
	}
	p, err := s.packages.Project(ctx, path)
	if err == nil {
		return registry.Span{ProjectID: p.ID}, nil
	}
	if registry.KindOf(err) != registry.NotFound {
		return registry.Span{}, err
	}
	g, err := s.packages.Group(ctx, path)
	if registry.KindOf(err) == registry.NotFound {
		err = registry.Errorf(registry.NotFound, "there is no group or project %s", path)
	}
	return registry.Span{GroupID: g.ID}, err
}
