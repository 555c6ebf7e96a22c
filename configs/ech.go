package configs

// ECHKey names the files of one key for Encrypted Client Hello (RFC 9849).
type ECHKey struct {
	Config     string // ECHConfigList, as clients get it: raw or a PEM block ECHCONFIG
	PrivateKey string // of X25519: 32 raw bytes or a PEM block PRIVATE KEY
}

// ech checks that the files are there. What they hold is checked where it is used.
func (c compiler) ech(keys []ECHKey) []ECHKey {
	for i, k := range keys {
		at := index("tls.ech", i)
		keys[i].Config = c.readable(at+".config", k.Config)
		keys[i].PrivateKey = c.readable(at+".private_key", k.PrivateKey)
	}
	unique(c, "tls.ech", keys)
	return some(keys)
}
