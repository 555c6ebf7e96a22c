package tlsconf

import "bytes"

// staple takes over the OCSP answers (RFC 6066, 8) that certmagic has got for what is held,
// where certificates name somebody to ask. It reports whether there were new ones.
func (m *managed) staple() (news bool) {
	if m.ordering.Load() == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for host, h := range m.held {
		for _, c := range m.cache.AllMatchingCertificates(host) {
			if !bytes.Equal(c.Certificate.Certificate[0], h.cert.Certificate[0]) || bytes.Equal(c.OCSPStaple, h.cert.OCSPStaple) {
				continue
			}
			stapled := *h.cert // the one in use never changes
			stapled.OCSPStaple = c.OCSPStaple
			h.cert = &stapled
			m.held[host] = h
			news = true
		}
	}
	return news
}
