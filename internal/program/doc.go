// Package program builds the gate and runs it as an operator would: a binary, a
// file of settings, a signal at the end. It is for tests that want to see the
// whole from outside; nothing of it is in the program.
package program
