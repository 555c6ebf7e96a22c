package hpack

import "github.com/trackgate/trackgate/proxy/wire"

// staticFields are the entries of RFC 7541 appendix A, from index 1 on.
var staticFields = [...][2]string{
	{":authority", ""}, {":method", "GET"}, {":method", "POST"}, {":path", "/"}, {":path", "/index.html"},
	{":scheme", "http"}, {":scheme", "https"}, {":status", "200"}, {":status", "204"}, {":status", "206"},
	{":status", "304"}, {":status", "400"}, {":status", "404"}, {":status", "500"}, {"accept-charset", ""},
	{"accept-encoding", "gzip, deflate"}, {"accept-language", ""}, {"accept-ranges", ""}, {"accept", ""},
	{"access-control-allow-origin", ""}, {"age", ""}, {"allow", ""}, {"authorization", ""}, {"cache-control", ""},
	{"content-disposition", ""}, {"content-encoding", ""}, {"content-language", ""}, {"content-length", ""},
	{"content-location", ""}, {"content-range", ""}, {"content-type", ""}, {"cookie", ""}, {"date", ""}, {"etag", ""},
	{"expect", ""}, {"expires", ""}, {"from", ""}, {"host", ""}, {"if-match", ""}, {"if-modified-since", ""},
	{"if-none-match", ""}, {"if-range", ""}, {"if-unmodified-since", ""}, {"last-modified", ""}, {"link", ""},
	{"location", ""}, {"max-forwards", ""}, {"proxy-authenticate", ""}, {"proxy-authorization", ""}, {"range", ""},
	{"referer", ""}, {"refresh", ""}, {"retry-after", ""}, {"server", ""}, {"set-cookie", ""},
	{"strict-transport-security", ""}, {"transfer-encoding", ""}, {"user-agent", ""}, {"vary", ""}, {"via", ""},
	{"www-authenticate", ""},
}

// staticStatus is the index of the first :status.
const staticStatus = 8

// static are the same as fields. Nobody may write to their bytes.
var static = newStatic()

func newStatic() (table [len(staticFields) + 1]Field) {
	for i, f := range staticFields {
		table[i+1] = Field{Name: []byte(f[0]), Value: []byte(f[1])}
		table[i+1].judge()
	}
	return table
}

// names finds the static entries by their names, for the encoder: of one name the
// first.
var names = newNames()

// slot is where a name is looked for.
func slot(length int, last byte) int { return (length<<3 ^ int(last)) & 0xff }

func newNames() (slots [256][]uint8) {
	seen := map[string]bool{}
	for i, f := range staticFields {
		if name := f[0]; !seen[name] {
			seen[name] = true
			at := slot(len(name), name[len(name)-1])
			slots[at] = append(slots[at], uint8(i+1))
		}
	}
	return slots
}

// indexOf returns the static entry of a name, or 0.
func indexOf[T string | []byte](name T) uint8 {
	if len(name) == 0 {
		return 0
	}
	for _, i := range names[slot(len(name), name[len(name)-1])] {
		if string(name) == staticFields[i-1][0] {
			return i
		}
	}
	return 0
}

// Field is one decoded field line.
type Field struct {
	Name, Value []byte
	ID          wire.Name // Other for pseudo-fields
	Pseudo      Pseudo    // 0 for a field that is none
	Verdict     Verdict
}

// Size is what the field counts in a table and against SETTINGS_MAX_HEADER_LIST_SIZE
// (RFC 9113 section 6.5.2).
func (f *Field) Size() int { return len(f.Name) + len(f.Value) + Overhead }
