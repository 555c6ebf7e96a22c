package main

import (
	"os"
	"testing"
)

// asProgram has the binary of these tests be the program that they test: so nothing has to
// be built for a gate in a process of its own, and it runs under the race detector. What begins
// with TRACKGATE_ would be read as a setting.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		main()
	}
	os.Exit(m.Run())
}
