package tlsconf

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/tls"
	"sync/atomic"
)

// tickets seals the session tickets of one listener. The server name is part of
// what is authenticated: under another name a ticket is noise.
//
// One AES-GCM call replaces the AES-CTR and HMAC of crypto/tls, whose ciphers are
// set up again for every ticket, and which ignores the server name.
type tickets struct {
	keys atomic.Pointer[ticketKeys]
}

// ticketKeys never changes.
type ticketKeys struct {
	current cipher.AEAD
	others  []cipher.AEAD // open tickets, too
	raw     [][32]byte    // of all of them, the current one first; nil where they come from a storage
}

func newTickets() *tickets {
	t := &tickets{}
	t.keys.Store(keysOf(randomKey()))
	return t
}

func keysOf(current [32]byte, others ...[32]byte) *ticketKeys {
	keys := &ticketKeys{current: newSeal(current), raw: append([][32]byte{current}, others...)}
	for _, key := range others {
		keys.others = append(keys.others, newSeal(key))
	}
	return keys
}

// rotate starts a new key. Tickets of the previous one are still good, older ones
// are not. It must not be called by two goroutines at once.
func (t *tickets) rotate() { t.keys.Store(keysOf(randomKey(), t.keys.Load().raw[0])) }

// wrap is WrapSession of the listener's configuration.
func (t *tickets) wrap(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	plain, err := session.Bytes()
	if err != nil {
		return nil, err
	}
	return t.keys.Load().current.Seal(nil, nil, plain, []byte(state.ServerName)), nil
}

// unwrap is UnwrapSession of the listener's configuration. A ticket that is not
// ours, too old or of another name leads to a full handshake, not to an error.
func (t *tickets) unwrap(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
	plain := t.keys.Load().open(ticket, []byte(state.ServerName))
	if plain == nil {
		return nil, nil
	}
	session, err := tls.ParseSessionState(plain)
	if err != nil {
		return nil, nil
	}
	return session, nil
}

func (k *ticketKeys) open(ticket, name []byte) []byte {
	if plain, err := k.current.Open(nil, nil, ticket, name); err == nil {
		return plain
	}
	for _, other := range k.others {
		if plain, err := other.Open(nil, nil, ticket, name); err == nil {
			return plain
		}
	}
	return nil
}

// newSeal returns AES-256-GCM with a random nonce for each ticket, which is safe for
// 2^32 tickets a key.
func newSeal(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("tlsconf: AES refuses a key of 32 bytes: " + err.Error())
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("tlsconf: GCM refuses AES: " + err.Error())
	}
	return seal
}

func randomKey() [32]byte {
	var key [32]byte
	rand.Read(key[:]) // never fails: crypto/rand ends the program instead
	return key
}
