// Package service tries the gate as a service of a machine: what systemd has to say of
// the unit, what is in the package, and a life under a real systemd.
//
// That life takes place in namespaces, on a file system of its own that lies over the
// machine's: the package is installed, the service started, looked at, frozen so that
// the watchdog has to start it anew, stopped, and removed. Nothing of it stays. It takes
// root; where a machine has no systemd, or lets nobody make such namespaces, the tests
// say so and are skipped.
//
// The tests have the build tag suites.
package service
