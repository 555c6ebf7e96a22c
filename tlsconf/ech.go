package tlsconf

import (
	"bytes"
	"crypto/ecdh"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/trackgate/trackgate/configs"
)

// What of RFC 9849 is known here. The HPKE suites are those of RFC 9180, 7; the one
// named here is what every client and server has to know (RFC 9849, 9).
const (
	echVersion  = 0xfe0d
	kemX25519   = 0x0020
	kdfSHA256   = 0x0001
	aeadAES128  = 0x0001
	x25519Bytes = 32
)

// echConfig is what of an ECHConfig is of interest (RFC 9849, 4).
type echConfig struct {
	raw        []byte
	kem        uint16
	publicKey  []byte
	suites     [][2]uint16 // KDF and AEAD
	publicName string
}

// loadECH reads the keys for Encrypted Client Hello. They are given to clients that
// come with another one, too.
func (k *Keeper) loadECH(files []configs.ECHKey) error {
	var mistakes []error
	for _, f := range files {
		key, err := k.loadECHKey(f)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("tls.ech: config %s, private key %s: %w", f.Config, f.PrivateKey, err))
			continue
		}
		k.ech = append(k.ech, key)
	}
	return errors.Join(mistakes...)
}

func (k *Keeper) loadECHKey(f configs.ECHKey) (tls.EncryptedClientHelloKey, error) {
	none := tls.EncryptedClientHelloKey{}
	configText, configErr := readFile("config", f.Config)
	keyText, keyErr := readFile("private key", f.PrivateKey)
	if err := errors.Join(configErr, keyErr); err != nil {
		return none, err
	}
	list, err := parseECHList(unwrapped(configText, "ECHCONFIG"))
	if err != nil {
		return none, err
	}
	key, err := parseECHKey(keyText)
	if err != nil {
		return none, err
	}
	at := slices.IndexFunc(list, func(c echConfig) bool {
		return c.kem == kemX25519 && bytes.Equal(c.publicKey, key.PublicKey().Bytes())
	})
	if at < 0 {
		return none, errors.New("no config of the list is for this key")
	}
	if err := k.demandUsable(list[at]); err != nil {
		return none, err
	}
	return tls.EncryptedClientHelloKey{Config: list[at].raw, PrivateKey: key.Bytes(), SendAsRetry: true}, nil
}

// demandUsable checks that clients which cannot use the config have a host to fall back
// to: its certificate is what tells them (RFC 9849, 6.1.6).
func (k *Keeper) demandUsable(c echConfig) error {
	if !slices.Contains(c.suites, [2]uint16{kdfSHA256, aeadAES128}) {
		return errors.New("the config does not offer HKDF-SHA256 with AES-128-GCM, which every client knows")
	}
	i, ok := configs.NewHosts(k.listeners).Find(c.publicName, netip.Addr{})
	if !ok {
		return fmt.Errorf("the public name %q is none of the hosts", c.publicName)
	}
	if k.listeners[i].ClientCertificates.Mode == configs.CertificateRequired && k.listeners[i].ClientCertificates.CA != "" {
		return fmt.Errorf("the public name %q is on a listener that demands certificates of clients", c.publicName)
	}
	return nil
}

// unwrapped returns the first PEM block of a kind, or what is no PEM as it is.
func unwrapped(text []byte, kind string) []byte {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			return block.Bytes
		}
	}
	return text
}

// parseECHKey never tells what is in a file: it may be another secret.
func parseECHKey(text []byte) (*ecdh.PrivateKey, error) {
	if len(text) == x25519Bytes {
		return ecdh.X25519().NewPrivateKey(text)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(unwrapped(text, "PRIVATE KEY"))
	if err != nil {
		return nil, errors.New("the private key is neither a PEM block PRIVATE KEY nor 32 raw bytes")
	}
	key, ok := parsed.(*ecdh.PrivateKey)
	if !ok || key.Curve() != ecdh.X25519() {
		return nil, errors.New("the private key is not one of X25519")
	}
	return key, nil
}

// errECHList hides what is there: it may be the key, by mistake.
var errECHList = errors.New("the config is no ECHConfigList")

// parseECHList reads an ECHConfigList (RFC 9849, 4) and leaves out what it does not know.
func parseECHList(text []byte) ([]echConfig, error) {
	whole, list := cryptobyte.String(text), cryptobyte.String(nil)
	if !whole.ReadUint16LengthPrefixed(&list) || !whole.Empty() || list.Empty() {
		return nil, errECHList
	}
	var known []echConfig
	for !list.Empty() {
		raw, version, body := []byte(list), uint16(0), cryptobyte.String(nil)
		if !list.ReadUint16(&version) || !list.ReadUint16LengthPrefixed(&body) {
			return nil, errECHList
		}
		if version != echVersion {
			continue
		}
		c := echConfig{raw: raw[:len(raw)-len(list)]}
		if !c.read(body) {
			return nil, errECHList
		}
		known = append(known, c)
	}
	return known, nil
}

// read takes ECHConfigContents apart. Extensions that a client must know are not looked
// at: none is defined.
func (c *echConfig) read(body cryptobyte.String) bool {
	var id, longest uint8
	var key, suites, name, extensions cryptobyte.String
	if !body.ReadUint8(&id) || !body.ReadUint16(&c.kem) || !body.ReadUint16LengthPrefixed(&key) ||
		!body.ReadUint16LengthPrefixed(&suites) || !body.ReadUint8(&longest) || !body.ReadUint8LengthPrefixed(&name) ||
		!body.ReadUint16LengthPrefixed(&extensions) || !body.Empty() || name.Empty() {
		return false
	}
	c.publicKey, c.publicName = key, string(name)
	for !suites.Empty() {
		var suite [2]uint16
		if !suites.ReadUint16(&suite[0]) || !suites.ReadUint16(&suite[1]) {
			return false
		}
		c.suites = append(c.suites, suite)
	}
	return true
}
