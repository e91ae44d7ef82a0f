//go:build !linux

package main

// releaseProgram does nothing: which pages of a program are in memory is the
// system's own business here.
func releaseProgram() error { return nil }
