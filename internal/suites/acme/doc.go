// Package acme holds the tests of certificates with real authorities: Pebble, which Let's
// Encrypt wrote for that, with its test server for names, and BIND for records in a zone.
// Each test has an authority of its own, on loopback, and a gate as a process.
//
// They are behind the build tag suites, as those of package suites: make suites runs both,
// make install-tools gets what they need, but for Pebble, which they build as the module in
// testdata/pebble says. Disks that are full need root, and are left out without.
package acme
