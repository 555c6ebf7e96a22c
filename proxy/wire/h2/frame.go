package h2

import "encoding/binary"

// The frame types of RFC 9113 section 6.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	framePriority     = 0x2
	frameReset        = 0x3 // RST_STREAM
	frameSettings     = 0x4
	framePush         = 0x5 // PUSH_PROMISE
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9
)

// The flags that mean something to a server.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// Code is an error code of RFC 9113 section 7.
type Code uint32

// The codes that this side sends.
const (
	NoError            Code = 0x0
	ProtocolError      Code = 0x1
	InternalError      Code = 0x2
	FlowControlError   Code = 0x3
	StreamClosed       Code = 0x5
	FrameSizeError     Code = 0x6
	RefusedStream      Code = 0x7
	Cancel             Code = 0x8
	CompressionError   Code = 0x9
	EnhanceYourCalm    Code = 0xb
	InadequateSecurity Code = 0xc
)

const (
	headSize = 9       // bytes of a frame's head
	maxFrame = 1 << 14 // the longest payload that is taken: SETTINGS_MAX_FRAME_SIZE stays at its default
)

// frame is the head of a frame.
type frame struct {
	length int
	kind   uint8
	flags  uint8
	stream uint32
}

func (f frame) has(flag uint8) bool { return f.flags&flag != 0 }

// parseFrame reads a head from b, which has at least headSize bytes (RFC 9113
// section 4.1).
func parseFrame(b []byte) frame {
	return frame{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   b[3],
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) &^ (1 << 31),
	}
}

// appendFrame appends a head.
func appendFrame(dst []byte, f frame) []byte {
	dst = append(dst, byte(f.length>>16), byte(f.length>>8), byte(f.length), f.kind, f.flags)
	return binary.BigEndian.AppendUint32(dst, f.stream)
}

// putLength writes the length of a frame whose payload ends where b ends into its
// head at b[at:].
func putLength(b []byte, at int) {
	n := len(b) - at - headSize
	b[at], b[at+1], b[at+2] = byte(n>>16), byte(n>>8), byte(n)
}

// appendNumber appends a frame whose payload is one number of 32 bits.
func appendNumber(dst []byte, kind uint8, stream, n uint32) []byte {
	dst = appendFrame(dst, frame{length: 4, kind: kind, stream: stream})
	return binary.BigEndian.AppendUint32(dst, n)
}

// appendGoAway appends a GOAWAY without debug data.
func appendGoAway(dst []byte, last uint32, code Code) []byte {
	dst = appendFrame(dst, frame{length: 8, kind: frameGoAway})
	dst = binary.BigEndian.AppendUint32(dst, last)
	return binary.BigEndian.AppendUint32(dst, uint32(code))
}

// unpad cuts the padding off the payload of a frame (RFC 9113 section 6.1). ok is
// false when there is more of it than payload.
func (f frame) unpad(payload []byte) (rest []byte, ok bool) {
	if !f.has(flagPadded) {
		return payload, true
	}
	if len(payload) == 0 || int(payload[0]) >= len(payload) {
		return nil, false
	}
	return payload[1 : len(payload)-int(payload[0])], true
}
