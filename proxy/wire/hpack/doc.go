// Package hpack reads and writes field blocks (RFC 7541) for the server's side of an
// HTTP/2 connection.
//
// The Decoder does the whole of it: the static and the dynamic table, every form of a
// literal, changes of the table's size, and the Huffman code. It appends what it decodes
// to a buffer of its caller and allocates nothing on a warm connection. Its dynamic
// table is one run of bytes and one list of where the entries stand in it, so a
// connection that has seen a browser's request keeps less than a kilobyte. Each field comes with
// its wire.Name and a Verdict on its bytes. Both are found once, when an entry is
// made, as most fields of a warm connection are references to entries.
//
// The encoding side has no table: what it says refers to the static one alone, and
// values are sent as they are. An answer of ours has a handful of short fields, of which
// a client's table would save some fifty bytes, for a search in every answer and memory
// in every connection. Values are not Huffman-coded either: that takes longer than to
// encrypt and to send the quarter that it saves.
package hpack
