package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// tls checks where certificates come from. needed says whether any listener
// speaks TLS.
func (c compiler) tls(t TLS, needed bool) TLS {
	c.issuer(t, needed)
	t.ACME = c.acme("tls.acme", t.ACME, t.Issuer)
	t.Redis = c.redis("tls.redis", t.Redis)
	if t.Redis.Address != "" && t.Issuer != IssuerACME && !c.within("tls.issuer") {
		c.wrong("tls.redis.address", "nothing, because tls.issuer is not acme", "")
	}
	oneOf(c, "tls.min_version", t.MinVersion, "1.2", "1.3")
	if t.Storage == "" {
		c.wrong("tls.storage", "a folder", "")
	}
	t.Storage = c.resolved(t.Storage)
	t.Files = some(t.Files)
	for i, pair := range t.Files {
		key := index("tls.files", i)
		t.Files[i].Certificate = c.readable(key+".certificate", pair.Certificate)
		t.Files[i].Key = c.readable(key+".key", pair.Key)
	}
	t.ECH = c.ech(t.ECH)
	return t
}

// needsTLS says whether a listener speaks TLS. One with mistakes in what decides
// that does not count.
func (c compiler) needsTLS(listeners []Listener) bool {
	for i, l := range listeners {
		key := index("listeners", i)
		if l.TLS && !c.within(key+".tls") && !c.within(key+".kind") && c.nodes[key].shape == section {
			return true
		}
	}
	return false
}

func (c compiler) issuer(t TLS, needed bool) {
	if t.Issuer == IssuerNone && needed && len(t.Files) == 0 && !c.within("tls.files") {
		c.wrong("tls.issuer", "acme (certificates from Let's Encrypt or another authority), internal (a CA of its own, for trying out), "+
			"or none with tls.files, because there are listeners with TLS", "")
		return
	}
	oneOf(c, "tls.issuer", t.Issuer, IssuerACME, IssuerInternal, IssuerNone)
}

// readable returns the path of a file, and notes if it can't be read. What is
// in it is for others to judge.
func (c compiler) readable(key, written string) string {
	path := c.resolved(written)
	if path == "" {
		c.wrong(key, "the path of a PEM file", "")
	} else if err := tryRead(path); err != nil {
		c.wrong(key, "a file that can be read ("+reasonOf(err)+")", "")
	}
	return path
}

// tryRead opens only regular files: a pipe would keep it waiting.
func tryRead(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	return file.Close()
}

// reasonOf leaves the path out of an error, because the mistake shows it.
func reasonOf(err error) string {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
