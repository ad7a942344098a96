// Package nuget serves NuGet packages: the V3 protocol, with pushes, symbols and
// GitLab's addresses. It answers at project and group level.
//
// Everything that a read needs is prepared when a version is pushed. Each
// version has two fragments: its part of registration documents, in which the
// registry's own address is left open, and an entry with all that search and the
// V2 feed tell of it. What may change (listed or not, deprecated or not) is in
// the version's row and is put in when a document is built.
//
// The protocol is described at https://learn.microsoft.com/nuget/api/overview.
// Deliberate deviations are in DECISIONS.md.
package nuget
