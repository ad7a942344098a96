//go:build !linux

package pgtest

import "syscall"

// dieWithParent can do nothing here: after a panic of the tests the server stays.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
