package hpack

import (
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// block is a field block from hexadecimal digits.
func block(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	require.NoError(t, err)
	return b
}

// said decodes a block into lines "name: value".
func said(d *Decoder, b []byte) (lines []string, err error) {
	var arena []byte
	var f Field
	for d.Begin(b); ; {
		if arena, err = d.Next(&f, arena); err != nil {
			break
		}
		lines = append(lines, string(f.Name)+": "+string(f.Value))
	}
	if err == io.EOF {
		err = nil
	}
	return lines, err
}

// entries are what the table holds, the newest first.
func entries(d *Decoder) (lines []string) {
	for i := 1; i <= d.table.len(); i++ {
		var f Field
		d.table.get(&f, i, nil)
		lines = append(lines, string(f.Name)+": "+string(f.Value))
	}
	return lines
}

// exampleRequests are the requests of RFC 7541 appendix C.3 and, in the Huffman code, C.4.
var exampleRequests = [][2]string{
	{"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"},
	{"8286 84be 5808 6e6f 2d63 6163 6865", "8286 84be 5886 a8eb 1064 9cbf"},
	{"8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"},
}

func TestDecodesTheExampleRequestsOfTheRFC(t *testing.T) {
	want := [][]string{
		{":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"},
		{":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"},
		{":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"},
	}
	for coding := range 2 {
		var d Decoder
		for i, example := range exampleRequests {
			got, err := said(&d, block(t, example[coding]))
			require.NoError(t, err)
			assert.Equal(t, want[i], got)
		}
		assert.Equal(t, []string{"custom-key: custom-value", "cache-control: no-cache", ":authority: www.example.com"}, entries(&d))
		assert.Equal(t, 164, d.table.size)
	}
}

// The responses of appendix C.6 come with a table of 256 bytes, so that entries are
// evicted.
func TestEvictsAsInTheExampleResponsesOfTheRFC(t *testing.T) {
	d := Decoder{smaller: TableSize - 256}
	for _, digits := range []string{
		"4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
		"4883 640e ffc1 c0bf",
	} {
		_, err := said(&d, block(t, digits))
		require.NoError(t, err)
	}
	assert.Equal(t, []string{
		":status: 307", "location: https://www.example.com", "date: Mon, 21 Oct 2013 20:13:21 GMT", "cache-control: private",
	}, entries(&d))
	assert.Equal(t, 222, d.table.size)
	got, err := said(&d, block(t, `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`))
	require.NoError(t, err)
	assert.Equal(t, []string{
		":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT", "location: https://www.example.com",
		"content-encoding: gzip", "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
	}, got)
	assert.Equal(t, 215, d.table.size)
}

func TestWhatIsNoFieldBlockEndsTheConnection(t *testing.T) {
	long := "00 01 61" + " 7f" + strings.Repeat("ff", 3) + "7f"
	for what, row := range map[string]struct {
		digits string
		want   error
	}{
		"index 0":                            {"80", errIndex},
		"an index beyond both tables":        {"be", errIndex},
		"a name beyond both tables":          {"7f 00 01 61", errIndex},
		"a literal without a value":          {"00 01 61", errCut},
		"a name that is cut":                 {"00 05 61", errCut},
		"a value that is cut":                {"00 01 61 05 62", errCut},
		"a value longer than any":            {long, errNumber},
		"a number that is cut":               {"ff ff", errCut},
		"a number that is too large":         {"ff ff ff ff ff 0f", errNumber},
		"a number of zeros without an end":   {"ff 80 80 80 80 80 80 80 01", errNumber},
		"a change of size behind a field":    {"82 20", errUpdate},
		"three changes of size":              {"20 3f e1 1f 20", errUpdate},
		"a table larger than was allowed":    {"3f e2 1f", errUpdate},
		"padding of zeros":                   {"00 81 18 01 61", errHuffman},
		"padding of more than seven bits":    {"00 82 1f ff 01 61", errHuffman},
		"the end of a string, spelled out":   {"00 84 ff ff ff ff 01 61", errHuffman},
		"a byte of padding and nothing else": {"00 81 ff 01 61", errHuffman},
	} {
		var d Decoder
		_, err := said(&d, block(t, row.digits))
		assert.ErrorIs(t, err, row.want, what)
	}
}

func TestChangesOfSizeEvict(t *testing.T) {
	var d Decoder
	_, err := said(&d, block(t, "40 01 61 01 62 40 01 63 01 64"))
	require.NoError(t, err)
	assert.Equal(t, []string{"c: d", "a: b"}, entries(&d))
	_, err = said(&d, block(t, "3f 03")) // 34: one entry fits
	require.NoError(t, err)
	assert.Equal(t, []string{"c: d"}, entries(&d))
	_, err = said(&d, block(t, "20 3f e1 1f 40 01 65 01 66")) // nothing, then all of it
	require.NoError(t, err)
	assert.Equal(t, []string{"e: f"}, entries(&d))
}

func TestAnEntryLargerThanTheTableEmptiesIt(t *testing.T) {
	var d Decoder
	_, err := said(&d, block(t, "40 01 61 01 62"))
	require.NoError(t, err)
	large := append([]byte{0x40, 0x01, 'x'}, appendNumber(nil, 0, 7, 5000)...)
	got, err := said(&d, append(large, strings.Repeat("y", 5000)...))
	require.NoError(t, err)
	assert.Len(t, got[0], 5003)
	assert.Empty(t, entries(&d))
	assert.Zero(t, d.table.size)
}

// An entry may be made with the name of one that it evicts.
func TestANameOutlivesTheEntryThatItComesFrom(t *testing.T) {
	d := Decoder{smaller: TableSize - 60}
	_, err := said(&d, block(t, "40 0a 6375 7374 6f6d 2d6b 6579 01 61"))
	require.NoError(t, err)
	got, err := said(&d, block(t, "7e 02 62 62"))
	require.NoError(t, err)
	assert.Equal(t, []string{"custom-key: bb"}, got)
	assert.Equal(t, got, entries(&d))
}

// What a caller was given does not change when its arena is moved or the table is.
func TestFieldsStayWhatTheyWere(t *testing.T) {
	var d Decoder
	arena := make([]byte, 0, 8)
	b := []byte{}
	for i := range 50 {
		b = append(b, 0x40, 2, 'a'+byte(i%26), 'a'+byte(i/26), 3, 'x', 'y', '0'+byte(i%10))
	}
	var fields []Field
	for d.Begin(b); ; {
		var f Field
		grown, err := d.Next(&f, arena)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		arena = grown
		fields = append(fields, f)
	}
	require.Len(t, fields, 50)
	for i, f := range fields {
		assert.Equal(t, string([]byte{'a' + byte(i%26), 'a' + byte(i/26)}), string(f.Name))
		assert.Equal(t, "xy"+string([]byte{'0' + byte(i%10)}), string(f.Value))
	}
}

// The table of a hostile client is bounded, whatever it enters.
func TestMemoryIsBounded(t *testing.T) {
	var d Decoder
	for i := range 10_000 {
		b := append([]byte{0x40, 1, 'a' + byte(i%26)}, appendNumber(nil, 0, 7, i%4100)...)
		_, err := said(&d, append(b, strings.Repeat("v", i%4100)...))
		require.NoError(t, err)
		require.LessOrEqual(t, d.table.size, TableSize)
	}
	assert.LessOrEqual(t, cap(d.table.bytes), 4*TableSize)
	assert.LessOrEqual(t, cap(d.table.entries), 4*TableSize/Overhead)
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	for _, err := range []error{errCut, errNumber, errIndex, errHuffman, errUpdate} {
		assert.NotErrorIs(t, errors.Unwrap(err), io.EOF)
		assert.NotEmpty(t, err.Error())
	}
}
