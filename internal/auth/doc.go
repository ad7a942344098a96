// Package auth knows who sends a request and what they may do.
//
// A credential is found in one place (credential.go), verified completely, and
// only then becomes an Identity. Allow is the one decision; its zero values
// deny. Deploy tokens follow GitLab's rules: made for a project or a group,
// with scopes, expiry and revocation. Only the SHA-256 of a secret is kept.
//
// The package leaves routes to those who mount them, and the shape of error
// answers to the formats.
package auth
