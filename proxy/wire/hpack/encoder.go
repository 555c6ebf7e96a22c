package hpack

import "github.com/trackgate/trackgate/proxy/wire"

// The ways to begin a field (RFC 7541 section 6).
const (
	asIndexed = 0x80
	asLiteral = 0x00 // and nobody enters it into a table
	asSecret  = 0x10 // and nobody on the way ever does (section 7.1.3)
	asResize  = 0x20
)

// AppendTableSize appends a change of the size of the table that the client keeps for
// us, at most TableSize (RFC 7541 section 6.3). As nothing here refers to it, the first
// block of a connection says 0, which fits whatever the client has room for.
func AppendTableSize(dst []byte, size int) []byte { return appendNumber(dst, asResize, 5, size) }

// AppendStatus appends :status, a number of three digits.
func AppendStatus(dst []byte, status int) []byte {
	for i := staticStatus; i < staticStatus+7; i++ {
		if statusOf[i-staticStatus] == status {
			return append(dst, asIndexed|byte(i))
		}
	}
	return append(dst, asLiteral|staticStatus, 3, '0'+byte(status/100%10), '0'+byte(status/10%10), '0'+byte(status%10))
}

// statusOf are the statuses of the static table.
var statusOf = [...]int{200, 204, 206, 304, 400, 404, 500}

// AppendField appends a field; name is in lower case, and id is its wire.Name.
func AppendField(dst []byte, id wire.Name, name, value []byte) []byte {
	form := byte(asLiteral)
	if id == wire.SetCookie || id == wire.Authorization {
		form = asSecret
	}
	return appendField(dst, form, name, value)
}

// AppendFieldString is AppendField for a field of our own, which has no secrets.
func AppendFieldString(dst []byte, name string, value []byte) []byte {
	return appendField(dst, asLiteral, name, value)
}

func appendField[T string | []byte](dst []byte, form byte, name T, value []byte) []byte {
	i := indexOf(name)
	dst = appendNumber(dst, form, 4, int(i))
	if i == 0 {
		dst = append(appendNumber(dst, 0, 7, len(name)), name...)
	}
	return append(appendNumber(dst, 0, 7, len(value)), value...)
}

// appendNumber appends a number that begins in the last prefix bits of a byte whose
// first bits are those of first (RFC 7541 section 5.1).
func appendNumber(dst []byte, first byte, prefix uint, n int) []byte {
	most := 1<<prefix - 1
	if n < most {
		return append(dst, first|byte(n))
	}
	dst = append(dst, first|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}
