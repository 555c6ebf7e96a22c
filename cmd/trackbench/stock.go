package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/tlsconf"
)

// stock is a storage with certificates of further hosts, as after years of orders.
type stock struct {
	Folder string
	Hosts  []string
}

// maxHosts is how many hosts a listener may have.
const maxHosts = 4096

// Shelves divides the hosts among listeners.
func (s stock) Shelves() [][]string { return slices.Collect(slices.Chunk(s.Hosts, maxHosts)) }

// mostWriters is how many certificates are put into a stock at once: each waits for the
// disk.
const mostWriters = 64

// newStock makes a folder with so many certificates, each for one host.
func newStock(ctx context.Context, parent string, count int) (stock, error) {
	folder := filepath.Join(parent, "stock")
	s := stock{Folder: folder}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return s, fmt.Errorf("stock: %w", err)
	}
	errs, writers := make([]error, count), make(chan struct{}, mostWriters)
	var working sync.WaitGroup
	for i := range count {
		host := fmt.Sprintf("host%d.bench.test", i)
		s.Hosts = append(s.Hosts, host)
		writers <- struct{}{}
		working.Go(func() {
			errs[i] = stockUp(ctx, folder, host)
			<-writers
		})
	}
	working.Wait()
	return s, errors.Join(errs...)
}

// stockUp has trackgate import a certificate for host.
func stockUp(ctx context.Context, storage, host string) error {
	folder, err := os.MkdirTemp("", "trackbench-")
	if err != nil {
		return fmt.Errorf("stock: %w", err)
	}
	defer os.RemoveAll(folder)
	c, err := newCertificate(time.Now(), host, 60*24*time.Hour)
	if err := errors.Join(err, c.write(folder)); err != nil {
		return err
	}
	settings := &configs.Settings{
		TLS:       configs.TLS{Issuer: configs.IssuerACME, Storage: storage, ACME: configs.ACME{Directory: deadDirectory}},
		Listeners: []configs.Listener{{TLS: true, Hosts: []string{host}}},
	}
	files := configs.KeyPair{Certificate: filepath.Join(folder, certificateFile), Key: filepath.Join(folder, keyFile)}
	_, err = tlsconf.Import(ctx, settings, files)
	return err
}
