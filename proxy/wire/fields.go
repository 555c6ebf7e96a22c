package wire

// MaxFields is how many fields a request may have by default.
const MaxFields = 100

// firstFields is how many fields a Fields has room for at first.
const firstFields = 32

// Field is one header field: its lower-case name and its value without
// surrounding white space, both slices of the message's buffer.
type Field struct {
	ID    Name
	Gone  bool // not passed on
	Name  []byte
	Value []byte
}

// Fields is the field section of a message, in the order it came.
type Fields struct {
	list  []Field
	seen  names // which names there are
	again names // which there are more than once
}

// names is a set of Names.
type names uint64

func (s names) has(id Name) bool { return s>>id&1 != 0 }

// Reset forgets all fields.
func (f *Fields) Reset() { *f = Fields{list: f.list[:0]} }

// Len returns how many fields there are.
func (f *Fields) Len() int { return len(f.list) }

// Add appends a field; name must be lower case.
func (f *Fields) Add(id Name, name, value []byte) {
	if f.list == nil {
		f.list = make([]Field, 0, firstFields)
	}
	f.list = append(f.list, Field{ID: id, Name: name, Value: value})
	f.again |= f.seen & (1 << id)
	f.seen |= 1 << id
}

// All returns the fields. The slice is valid until the next Add or Reset.
func (f *Fields) All() []Field { return f.list }

// Has reports whether there is a field of that name.
func (f *Fields) Has(id Name) bool { return f.seen.has(id) }

// Once returns the value of the only field of that name. ok is false when there
// is none and when there are more.
func (f *Fields) Once(id Name) (value []byte, ok bool) {
	if f.again.has(id) {
		return nil, false
	}
	return f.Get(id)
}

// Get returns the value of the first field of that name.
func (f *Fields) Get(id Name) ([]byte, bool) {
	if !f.seen.has(id) {
		return nil, false
	}
	for i := range f.list {
		if f.list[i].ID == id {
			return f.list[i].Value, true
		}
	}
	return nil, false
}

// Count returns how many fields of that name there are.
func (f *Fields) Count(id Name) int {
	if !f.again.has(id) {
		return int(f.seen >> id & 1)
	}
	n := 0
	for i := range f.list {
		if f.list[i].ID == id {
			n++
		}
	}
	return n
}

// DropHops marks as gone what speaks of one connection only: the hop-by-hop
// fields and those that Connection names (RFC 9110 section 7.6.1). A field
// that the gate needs cannot be named away.
func (f *Fields) DropHops() {
	if f.seen&hops == 0 {
		return
	}
	for i := range f.list {
		field := &f.list[i]
		if field.ID == Connection {
			f.dropNamed(field.Value)
		}
		if field.ID.HopByHop() {
			field.Gone = true
		}
	}
}

// dropNamed marks the fields that a Connection field names.
func (f *Fields) dropNamed(list []byte) {
	for len(list) > 0 {
		var token []byte
		token, list = NextToken(list)
		for i := range f.list {
			field := &f.list[i]
			if field.ID != Host && field.ID != ContentLength && EqualFold(token, field.Name) {
				field.Gone = true
			}
		}
	}
}

// NextToken cuts the first element off a comma-separated list, without the
// white space around it (RFC 9110 section 5.6.1). It may be empty.
func NextToken(list []byte) (token, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return TrimBlanks(list[:i]), list[i+1:]
		}
	}
	return TrimBlanks(list), nil
}

// HasToken reports whether a comma-separated list holds token, which must be
// lower case; case does not matter in the list.
func HasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var t []byte
		if t, list = NextToken(list); EqualFoldString(t, token) {
			return true
		}
	}
	return false
}

// EqualFold reports whether a, in any case, equals b, which is lower case.
func EqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != b[i] {
			return false
		}
	}
	return true
}

// EqualFoldString is EqualFold for a string.
func EqualFoldString(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != b[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// TrimBlanks cuts the optional white space around a value (RFC 9110 section 5.6.3).
func TrimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
