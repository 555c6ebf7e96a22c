package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"
)

// site is what the settings of a proxy are made from.
type site struct {
	Folder  string // of its settings and logs, its own
	TLS     string // folder with the certificate's files
	Address string // 127.0.0.1:port to listen on
	Admin   string // 127.0.0.1:port of trackgate's page and metrics
	Backend string // 127.0.0.1:port of the backend
	Host    string
	// LogServer is 127.0.0.1:port where a proxy that logs over TCP sends its lines.
	LogServer string
	Stock     stock // what trackgate has beside the one certificate; the zero value is nothing
	Root      bool  // the benchmark runs as root
}

// newSite chooses a free port and makes the folder.
func newSite(parent, name, backend string) (site, error) {
	folder, err := os.MkdirTemp(parent, name+"-")
	if err != nil {
		return site{}, fmt.Errorf("%s: %w", name, err)
	}
	address, err := freeAddress()
	if err != nil {
		return site{}, fmt.Errorf("%s: %w", name, err)
	}
	admin, err := freeAddress()
	if err != nil {
		return site{}, fmt.Errorf("%s: %w", name, err)
	}
	return site{Folder: folder, TLS: parent, Address: address, Admin: admin, Backend: backend, Host: benchHost, Root: os.Geteuid() == 0}, nil
}

// freeAddress returns an address that nobody listens on at this moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// AccessLog is the file that the proxy's access log ends in.
func (s site) AccessLog() string { return filepath.Join(s.Folder, "access.log") }

// Certificate is the PEM file that the proxy shows.
func (s site) Certificate() string { return filepath.Join(s.TLS, certificateFile) }

// Key is the file of the private key.
func (s site) Key() string { return filepath.Join(s.TLS, keyFile) }

// Bundle is the file with certificate and key.
func (s site) Bundle() string { return filepath.Join(s.TLS, bundleFile) }

// settingsFile is where the proxy finds its settings.
func (s site) settingsFile() string { return filepath.Join(s.Folder, "settings") }

// writeSettings fills the template into the settings file.
func (s site) writeSettings(text string) error {
	parsed, err := template.New("settings").Option("missingkey=error").Parse(text)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	file, err := os.Create(s.settingsFile())
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if err := parsed.Execute(file, s); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return file.Close()
}
