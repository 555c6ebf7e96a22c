// Package suites tries the gate with servers and clients that others wrote, as
// Debian packages them: FastAPI on uvicorn behind it, curl and openssl in front.
// The tests have the build tag suites: `make suites` runs them, and
// `make install-tools` gets what they need.
package suites
