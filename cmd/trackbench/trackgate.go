package main

import (
	"strings"
	"time"
)

// trackgate is a build of the program of this module, from the given file.
func trackgate(name, binary, settings string) contender {
	return contender{
		name:     name,
		binary:   binary,
		settings: settings,
		start:    func(s site) []string { return []string{"run", "-c", s.settingsFile()} },
		version:  []string{"version"},
		flush:    1200 * time.Millisecond,
	}
}

const trackgateSettings = `listeners:
  - name: public
    kind: public
    address: "{{.Address}}"
    hosts: ["{{.Host}}"]
    allow: [track]
    pool: collectors
pools:
  - name: collectors
    backends: ["http://{{.Backend}}"]
    health: {path: /healthcheck, interval: 5s}
tls:
  issuer: none
  files: [{certificate: "{{.Certificate}}", key: "{{.Key}}"}]
  storage: "{{.Folder}}"
limits: {connections: 16000, connections_per_client: 0, handshakes_per_client: 0}
log: {level: warn, access: {output: "{{.AccessLog}}"}}
`

// What is for operators: all that they use at once, or nothing.
const (
	operated   = `admin: {socket: "{{.Folder}}/admin.sock", address: "{{.Admin}}", watch: true}` + "\n"
	unattended = `admin: {socket: "", address: ""}` + "\n"
)

// deadDirectory is an authority that nobody ever asks: all certificates are there.
const deadDirectory = "https://127.0.0.1:1/dir"

// stockedSettings have a stock of certificates that are had from an authority.
func stockedSettings() string {
	return strings.NewReplacer(
		"pools:\n", `{{range $i, $hosts := .Stock.Shelves}}  - {name: stock{{$i}}, kind: public, address: "{{$.Address}}", allow: [track], pool: collectors,
     hosts: [{{range $hosts}}"{{.}}", {{end}}]}
{{end}}pools:
`,
		"issuer: none", "issuer: acme\n  acme: {email: ops@bench.test, directory: \""+deadDirectory+"\", challenges: [tls-alpn-01]}",
		`storage: "{{.Folder}}"`, `storage: "{{.Stock.Folder}}"`,
	).Replace(trackgateSettings)
}
