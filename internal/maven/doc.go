// Package maven serves Maven repositories to Maven, Gradle, sbt, Ivy, Leiningen,
// coursier and Bazel: the repository layout over HTTP, as
// https://maven.apache.org/repository/layout.html and the metadata model of
// https://maven.apache.org/ref/current/maven-repository-metadata/ describe it.
//
// A path is the whole identity: the package is the path without version and
// file, the version is the last directory, and what a POM says of itself is for
// display. Paths that are no Maven coordinates, such as Ivy's patterns, are kept
// as opaque files.
//
// The files are the truth. maven-metadata.xml is made from what is stored, at
// all three levels, with its checksums; what clients send of it is a signal that
// the versions and builds in it are complete, and is not stored, unless a project
// wants it (settingMetadata). So deployments at the same time lose nothing of each
// other. Checksums are computed; those that clients send are compared.
//
// Deliberate deviations from what other servers do: releases are immutable, a
// literal -SNAPSHOT name leads to the newest build, WebDAV is not spoken, and
// errors are text and no JSON.
package maven
