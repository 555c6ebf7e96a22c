package faults

import "time"

// Mode is what a proxy does to what passes. The zero value is Pass.
type Mode struct {
	kind  kind
	delay time.Duration
	bytes int
}

type kind uint8

const (
	pass kind = iota
	latency
	refuse
	reset
	blackhole
	halfOpen
	slice
	garbage
	cut
)

// Pass changes nothing.
func Pass() Mode { return Mode{} }

// Latency holds every piece of an answer back for d.
func Latency(d time.Duration) Mode { return Mode{kind: latency, delay: d} }

// Refuse closes the listener: new connections are refused by the kernel, those
// that are open run on.
func Refuse() Mode { return Mode{kind: refuse} }

// Reset ends every connection with RST, the open ones at once and new ones as
// they come.
func Reset() Mode { return Mode{kind: reset} }

// Blackhole makes new connections silent: the kernel accepts them, nothing is
// read and nothing said. The open ones run on.
func Blackhole() Mode { return Mode{kind: blackhole} }

// HalfOpen is a host that vanished: the open connections are silent in both
// directions without being closed, and new ones as well.
func HalfOpen() Mode { return Mode{kind: halfOpen} }

// Slice writes at most n bytes of an answer at a time, each as a segment of its
// own.
func Slice(n int) Mode { return Mode{kind: slice, bytes: n} }

// Garbage puts bytes that are no HTTP in the place of each piece of an answer.
func Garbage() Mode { return Mode{kind: garbage} }

// CutAfter closes the connection as soon as n bytes of an answer have passed; with
// 0 the backend dies as it was about to answer.
func CutAfter(n int) Mode { return Mode{kind: cut, bytes: n} }

// silences reports whether new connections get no answer at all.
func (m Mode) silences() bool { return m.kind == blackhole || m.kind == halfOpen }
