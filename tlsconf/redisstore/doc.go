// Package redisstore keeps what several gates share, certificates above all, in one Redis or
// Valkey. It is a storage of certmagic.
//
// A value is a hash with the bytes and the time of its writing, under a prefix. With a key
// for encryption the bytes are sealed by AES-256-GCM, with the name of the value as
// additional data: who can write to Redis can take values away, but not read one, change it
// or put it in the place of another.
//
// What is sealed is marked as such. A gate with a key takes nothing that is not sealed, one
// without takes nothing that is: neither is ever given out as it stands.
//
// A lock is a value with a random token that ends by itself. Its holder keeps it alive, and
// gives it back only if the token is still its own: one that stood still for too long has
// lost it to somebody else.
package redisstore
