// Package container tries the gate as a container runtime runs it, without one: the
// Dockerfile is read, its last stage laid out in a folder, and the program started in
// there with the user and the arguments that it names; control groups are made as a
// runtime makes them.
//
// What needs the build tag suites needs root as well, and is left out without.
package container
