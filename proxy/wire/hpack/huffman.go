package hpack

import (
	"strings"

	"golang.org/x/net/http2/hpack"
)

// step is what a nibble does in a state of the Huffman automaton.
type step struct {
	next  uint8 // the state after it
	flags uint8
	out   byte // the byte that it completes
}

const (
	emits   = 1 << iota // a byte is complete
	invalid             // nothing is coded like this, or only EOS
)

// automaton decodes four bits at a time: no code is shorter than five. Its states are
// the inner nodes of the tree of RFC 7541 appendix B, 0 the root.
type automaton struct {
	steps [256][16]step
	ends  [256]bool // a string may end here: less than a byte of ones is padding
}

var huffman = newAutomaton()

// node is a node of the tree; a leaf has no children.
type node struct {
	children [2]*node
	state    uint8
	leaf     bool
	eos      bool
	symbol   byte
}

// newAutomaton builds the automaton. The codes are learned from x/net's encoder: eight
// times a byte are coded into as many bytes as its code has bits.
func newAutomaton() *automaton {
	root := &node{}
	for c := range 256 {
		code := hpack.AppendHuffmanString(nil, string([]byte{byte(c)}))
		bits := hpack.HuffmanEncodeLength(strings.Repeat(string([]byte{byte(c)}), 8))
		leaf := root.grow(code, int(bits))
		leaf.leaf, leaf.symbol = true, byte(c)
	}
	eos := root.grow([]byte{0xff, 0xff, 0xff, 0xff}, 30)
	eos.leaf, eos.eos = true, true
	var nodes []*node
	root.number(&nodes)
	a := &automaton{}
	for state, n := range nodes {
		for nibble := range 16 {
			a.steps[state][nibble] = n.walk(root, nibble)
		}
	}
	for n, depth := root, 0; depth <= 7; n, depth = n.children[1], depth+1 {
		a.ends[n.state] = true
	}
	return a
}

// grow returns the node at the end of a code.
func (n *node) grow(code []byte, bits int) *node {
	for i := range bits {
		bit := code[i/8] >> (7 - i%8) & 1
		if n.children[bit] == nil {
			n.children[bit] = &node{}
		}
		n = n.children[bit]
	}
	return n
}

// number gives the inner nodes below n their states.
func (n *node) number(list *[]*node) {
	if n == nil || n.leaf {
		return
	}
	n.state = uint8(len(*list))
	*list = append(*list, n)
	n.children[0].number(list)
	n.children[1].number(list)
}

// walk goes four bits from n.
func (n *node) walk(root *node, nibble int) (s step) {
	for i := 3; i >= 0; i-- {
		n = n.children[nibble>>i&1]
		if n == nil || n.eos {
			return step{flags: invalid}
		}
		if n.leaf {
			s.flags, s.out = emits, n.symbol
			n = root
		}
	}
	s.next = n.state
	return s
}

// appendDecoded appends what src stands for; ok is false when it is not coded as RFC
// 7541 section 5.2 demands.
func appendDecoded(dst, src []byte) (decoded []byte, ok bool) {
	state := uint8(0)
	for _, b := range src {
		high := huffman.steps[state][b>>4]
		low := huffman.steps[high.next][b&15]
		if (high.flags|low.flags)&invalid != 0 {
			return dst, false
		}
		if high.flags&emits != 0 {
			dst = append(dst, high.out)
		}
		if low.flags&emits != 0 {
			dst = append(dst, low.out)
		}
		state = low.next
	}
	return dst, huffman.ends[state]
}
