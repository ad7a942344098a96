package auth

import (
	"context"

	"pakhus/internal/registry"
)

// EachBelow calls visit for those of the packages that lie below a group, in
// projects that the identity may read, with their projects.
func EachBelow(ctx context.Context, packages *registry.Service, id *Identity, groupID int64, heads []registry.Package,
	visit func(registry.Project, registry.Package),
) error {
	for _, head := range heads {
		project, err := packages.ProjectByID(ctx, head.ProjectID)
		if registry.KindOf(err) == registry.NotFound { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if project.Within(groupID) && Allow(id, Read, project) == nil {
			visit(project, head)
		}
	}
	return nil
}
