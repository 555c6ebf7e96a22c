package configs

import (
	"encoding/base64"
	"net"
	"strconv"
)

// Redis is where several gates share certificates: Redis 6 or Valkey.
type Redis struct {
	Address       string // host:port; "": certificates are kept in the folder of tls.storage
	Prefix        string // of all keys
	Username      string
	Password      string
	Database      int
	TLS           bool
	CA            string // PEM file of who may sign for Redis; "" is the system's
	ServerName    string // "" is the host of the address
	EncryptionKey string // base64 of 32 bytes, with which values are sealed; "": they are not
}

const (
	redisPort     = 6379
	mostDatabases = 1 << 16
)

// redis checks the section at key, all of which but the prefix would be ignored without an
// address.
func (c compiler) redis(key string, r Redis) Redis {
	unset := Redis{Prefix: r.Prefix}
	if r == unset {
		return r
	}
	host, port, ok := parseAuthority(r.Address, redisPort)
	if !ok {
		c.wrong(child(key, "address"), `a host name or an IP address with or without a port, like "10.0.0.5:6379"`, "")
	}
	r.Address = net.JoinHostPort(host, strconv.Itoa(port))
	if !validName(r.Prefix) {
		c.wrong(child(key, "prefix"), "a name of up to 63 letters, digits, - and _", "")
	}
	between(c, child(key, "database"), r.Database, 0, mostDatabases)
	if r.Username != "" && r.Password == "" {
		c.wrong(child(key, "password"), "the password of the username", "")
	}
	if !r.TLS && (r.CA != "" || r.ServerName != "") {
		c.wrong(child(key, "tls"), "true, because there is a ca or a server_name", "")
	}
	r.CA = c.file(child(key, "ca"), r.CA)
	r.ServerName = c.serverName(child(key, "server_name"), r.ServerName)
	if secret, err := base64.StdEncoding.DecodeString(r.EncryptionKey); err != nil || r.EncryptionKey != "" && len(secret) != 32 {
		c.wrongSecret(child(key, "encryption_key"), "32 bytes in base64, as from: openssl rand -base64 32")
	}
	return r
}

// Key returns the bytes of the encryption key, nil for none.
func (r Redis) Key() []byte {
	if r.EncryptionKey == "" {
		return nil
	}
	key, _ := base64.StdEncoding.DecodeString(r.EncryptionKey) // was checked when it was read
	return key
}
