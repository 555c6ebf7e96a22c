package main

import (
	"fmt"
	"strings"
)

// What every proxy is asked for and what it has to bring.
const (
	benchHost   = "bench.test"
	eventPath   = "/track"
	eventBytes  = 995
	answerBytes = 258
)

// eventBody returns the JSON body of one page view, padded to its size.
func eventBody() string {
	const event = `{"source":{"id":"5600c92a-835d-4fbe-a11d-7076fd983434"},"session":{"id":"f1a0b9d6-5c53-4b0a-9f1e-2f0f4c7f8a11"},` +
		`"profile":{"id":"9c7a6a52-51b8-4c8e-8df0-7a3cbb2f1d02"},"context":{"time":{"local":"10/17/2026, 10:24:31","tz":"Europe/Warsaw"},` +
		`"device":{"name":"desktop"},"page":{"url":"https://shop.example.com/products/42","title":"A fine product"},` +
		`"screen":{"width":1920,"height":1080}},"events":[{"type":"page-view","properties":{"note":"%s"}}],"options":{"saveSession":true}}`
	return padded(event, eventBytes)
}

// answerBody returns the JSON body of the backend's answer, padded to its size.
func answerBody() string {
	const answer = `{"task":"4d6a1c0e-0f8d-4f57-90a5-1f0a2f6d7e33","ux":[],"response":{"note":"%s"},"events":[],` +
		`"profile":{"id":"9c7a6a52-51b8-4c8e-8df0-7a3cbb2f1d02"},"session":{"id":"f1a0b9d6-5c53-4b0a-9f1e-2f0f4c7f8a11"}}`
	return padded(answer, answerBytes)
}

// padded fills the one %s of the format so that the text has size bytes.
func padded(format string, size int) string {
	free := size - len(format) + len("%s")
	return fmt.Sprintf(format, strings.Repeat("x", free))
}

// field is one field of a request. HTTP/2 has its name in lower case.
type field struct{ name, value string }

// eventFields are what every request has besides its host and length, as the tracker of
// a shop's server would send it.
func eventFields() []field {
	return []field{
		{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) trackbench"},
		{"Accept", "*/*"},
		{"Content-Type", "application/json"},
		{"x-timestamp", "1792225471"},
	}
}

// requestBytes returns a request over HTTP/1.1.
func requestBytes(method, path, body string) []byte {
	request := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, benchHost)
	for _, f := range eventFields() {
		request = fmt.Appendf(request, "%s: %s\r\n", f.name, f.value)
	}
	return fmt.Appendf(request, "Content-Length: %d\r\n\r\n%s", len(body), body)
}
