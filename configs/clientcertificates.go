package configs

// ClientCertificates says what clients of a listener have to show (mTLS).
type ClientCertificates struct {
	CA    string // PEM file of who signs for clients; "": none is asked for
	Mode  CertificateMode
	Names []string // subject alternative names as ParseSAN takes them, of which a certificate has one; empty: any
	CRL   string   // PEM or DER file; "": nothing is revoked
}

// CertificateMode says whether a client may come without a certificate.
type CertificateMode string

// The modes.
const (
	CertificateRequired CertificateMode = "required"
	CertificateOptional CertificateMode = "optional" // but one that is shown has to be good
)

// clientCertificates checks the section at key. What would be ignored is a mistake:
// whoever wrote it believes that strangers are kept out.
func (c compiler) clientCertificates(key string, s ClientCertificates, tls bool) ClientCertificates {
	if s.CA != "" && !tls {
		c.wrong(key+".ca", "nothing on a listener without TLS (certificates are shown in its handshake)", "")
	}
	if s.CA == "" {
		c.unusedWithoutCA(key, s)
	}
	c.unasked(key)
	oneOf(c, key+".mode", s.Mode, CertificateRequired, CertificateOptional)
	s.CA, s.CRL = c.file(key+".ca", s.CA), c.file(key+".crl", s.CRL)
	s.Names = c.sans(key+".names", s.Names)
	return s
}

func (c compiler) unusedWithoutCA(key string, s ClientCertificates) {
	for name, used := range map[string]bool{
		"mode": s.Mode == CertificateOptional, "names": len(s.Names) > 0, "crl": s.CRL != "",
	} {
		if used {
			c.wrong(key+".ca", "the PEM file of who signs for clients, because there is "+name, "")
		}
	}
}

// unasked finds sections that only look as if strangers were kept out: without a CA, or with
// a variable that turned out empty. `""` in the file itself is somebody's will.
func (c compiler) unasked(key string) {
	if c.has(key) && !c.has(key+".ca") {
		c.wrong(key+".ca", `the PEM file of who signs for clients, or "" to ask for no certificates`, "")
	}
	for _, file := range []string{key + ".ca", key + ".crl"} {
		if n := c.nodes[file]; n != nil && n.kind == untyped && n.text == "" {
			c.wrong(file, "the path of a file, because what the environment has for it is empty", "")
		}
	}
}

// sans returns names in their one spelling.
func (c compiler) sans(key string, written []string) []string {
	names := make([]string, len(written))
	for i, text := range written {
		name, ok := ParseSAN(text)
		if !ok {
			c.wrong(index(key, i), "a DNS name, a wildcard like *.example.com, an e-mail or IP address, or a URI like spiffe://example.com/a", "")
		}
		names[i] = name.Value
	}
	unique(c, key, names)
	return some(names)
}
