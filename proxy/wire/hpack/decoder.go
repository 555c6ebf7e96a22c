package hpack

import (
	"errors"
	"io"
)

// TableSize is what the dynamic table may have, in bytes: the default of
// SETTINGS_HEADER_TABLE_SIZE (RFC 9113 section 6.5.2), which is not changed.
const TableSize = 4096

// What can be wrong with a field block. Each is a COMPRESSION_ERROR of the connection
// (RFC 9113 section 4.3).
var (
	errCut     = errors.New("a field block that is cut short")
	errNumber  = errors.New("a number in a field block that is too large")
	errIndex   = errors.New("a field block that refers to an entry which is not there")
	errHuffman = errors.New("a string in a field block that is not in the Huffman code")
	errUpdate  = errors.New("a change of the table's size that may not be")
)

// ErrSize is the end of a block that decodes to more than Decoder.Most. References to
// entries make a block grow a thousandfold (CVE-2026-47774).
var ErrSize = errors.New("a field block that decodes to far more than the limit")

// Decoder reads the field blocks of one connection, in their order. The zero value is
// ready, and owns no memory until something is entered into its table.
type Decoder struct {
	Most int // bytes that a block may decode to, each field with Overhead beside; 0 is no bound

	rest    []byte // of the block
	size    int    // of its fields so far
	updates int    // how many changes of the size may still come; they stand at the beginning
	table   table
	smaller int // by how much the table is smaller than TableSize
}

// updatesInBlock is how often a block may change the size: to the smallest that it had
// in between, and to the final one (RFC 7541 section 4.2).
const updatesInBlock = 2

// Begin begins with a field block, which must not change until the last Next.
func (d *Decoder) Begin(block []byte) { d.rest, d.size, d.updates = block, 0, updatesInBlock }

// Next puts the next field into f. Its bytes are appended to arena, which is returned,
// or constants that nobody may write to; fields of before stay valid if arena is moved.
// io.EOF is the end of the block. Any other error is the end of the connection, whose two
// sides no longer have the same table.
func (d *Decoder) Next(f *Field, arena []byte) (grown []byte, err error) {
	if grown, err = d.next(f, arena); err != nil {
		return grown, err
	}
	if d.size += f.Size(); d.Most > 0 && d.size > d.Most {
		return grown, ErrSize
	}
	return grown, nil
}

func (d *Decoder) next(f *Field, arena []byte) (grown []byte, err error) {
	for len(d.rest) > 0 {
		switch b := d.rest[0]; {
		case b&0x80 != 0:
			d.updates = 0
			return d.indexed(f, arena)
		case b&0xc0 == 0x40:
			d.updates = 0
			if arena, err = d.literal(f, 6, arena); err == nil {
				d.table.add(f, TableSize-d.smaller)
			}
			return arena, err
		case b&0xe0 == 0x20:
			if err := d.resize(); err != nil {
				return arena, err
			}
		default:
			d.updates = 0
			return d.literal(f, 4, arena)
		}
	}
	return arena, io.EOF
}

// indexed reads a field that is in a table (RFC 7541 section 6.1).
func (d *Decoder) indexed(f *Field, arena []byte) ([]byte, error) {
	i, err := d.number(7)
	if err != nil {
		return arena, err
	}
	switch {
	case !d.has(i):
		return arena, errIndex
	case i < len(static):
		*f = static[i]
		return arena, nil
	}
	return d.table.get(f, i-len(static)+1, arena), nil
}

// has reports whether an index stands for something (RFC 7541 section 2.3.3).
func (d *Decoder) has(i int) bool { return i > 0 && i < len(static)+d.table.len() }

// named begins a field whose name is that of an entry.
func (d *Decoder) named(f *Field, i int, arena []byte) ([]byte, error) {
	switch {
	case !d.has(i):
		return arena, errIndex
	case i < len(static):
		*f = static[i]
		return arena, nil
	}
	return d.table.name(f, i-len(static)+1, arena), nil
}

// literal reads a field whose value is spelled out, and perhaps its name (RFC 7541
// section 6.2).
func (d *Decoder) literal(f *Field, prefix uint, arena []byte) (grown []byte, err error) {
	i, err := d.number(prefix)
	if err != nil {
		return arena, err
	}
	if i != 0 {
		if arena, err = d.named(f, i, arena); err != nil {
			return arena, err
		}
	} else {
		*f = Field{}
		if f.Name, arena, err = d.text(arena); err != nil {
			return arena, err
		}
		f.judge()
	}
	f.Value, arena, err = d.text(arena)
	f.judgeValue()
	return arena, err
}

// resize changes the size of the table (RFC 7541 section 6.3).
func (d *Decoder) resize() error {
	n, err := d.number(5)
	switch {
	case err != nil:
		return err
	case d.updates == 0, n > TableSize:
		return errUpdate
	}
	d.updates--
	d.smaller = TableSize - n
	d.table.shrink(n)
	return nil
}

// text reads a string (RFC 7541 section 5.2).
func (d *Decoder) text(arena []byte) (s, grown []byte, err error) {
	if len(d.rest) == 0 {
		return nil, arena, errCut
	}
	coded := d.rest[0]&0x80 != 0
	n, err := d.number(7)
	if err != nil {
		return nil, arena, err
	}
	if n > len(d.rest) {
		return nil, arena, errCut
	}
	at, ok := len(arena), true
	if coded {
		arena, ok = appendDecoded(arena, d.rest[:n])
	} else {
		arena = append(arena, d.rest[:n]...)
	}
	d.rest = d.rest[n:]
	if !ok {
		return nil, arena, errHuffman
	}
	return arena[at:len(arena):len(arena)], arena, nil
}

// maxNumber bounds numbers: nothing that we have is larger.
const maxNumber = 1<<28 - 1

// number reads a number that begins in the last prefix bits of the next byte (RFC 7541
// section 5.1).
func (d *Decoder) number(prefix uint) (int, error) {
	most := 1<<prefix - 1
	n := int(d.rest[0]) & most
	d.rest = d.rest[1:]
	if n < most {
		return n, nil
	}
	for shift := 0; len(d.rest) > 0; shift += 7 {
		b := d.rest[0]
		d.rest = d.rest[1:]
		if n += int(b&0x7f) << shift; n > maxNumber || shift > 28 {
			return 0, errNumber
		}
		if b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errCut
}
