// Package config reads the settings of the server: from flags, REGISTRY_*
// variables with their _FILE forms, and an optional YAML file, in this order.
//
// It reports all problems at once, and opens nothing that the settings name.
// Only cmd/registry sees a Config: every part of the server gets options of its
// own.
package config
