package h2

import "encoding/binary"

// The settings of RFC 9113 section 6.5.2 and RFC 8441 section 3.
const (
	settingTableSize       = 0x1
	settingPush            = 0x2
	settingStreams         = 0x3
	settingWindow          = 0x4
	settingFrameSize       = 0x5
	settingHeadSize        = 0x6
	settingConnect         = 0x8
	settingSize            = 6 // bytes of one in a frame
	defaultWindow    int64 = 65535
	maxWindow        int64 = 1<<31 - 1
)

// appendSettings appends the SETTINGS that begin our side of a connection.
func appendSettings(dst []byte, config *Config) []byte {
	at := len(dst)
	dst = appendFrame(dst, frame{kind: frameSettings})
	dst = appendSetting(dst, settingStreams, uint32(config.Streams))
	dst = appendSetting(dst, settingWindow, streamWindow)
	dst = appendSetting(dst, settingHeadSize, uint32(config.Limits.Head))
	if config.Connect {
		dst = appendSetting(dst, settingConnect, 1)
	}
	putLength(dst, at)
	return dst
}

func appendSetting(dst []byte, id uint16, value uint32) []byte {
	dst = binary.BigEndian.AppendUint16(dst, id)
	return binary.BigEndian.AppendUint32(dst, value)
}

// settings takes a SETTINGS frame of the client (RFC 9113 section 6.5).
func (c *Conn) settings(f frame, payload []byte) error {
	switch {
	case f.stream != 0:
		return broken(ProtocolError, "SETTINGS on a stream")
	case f.has(flagAck) && f.length > 0, f.length%settingSize != 0:
		return broken(FrameSizeError, "SETTINGS of a wrong length")
	case f.has(flagAck):
		c.agreed = true
		return c.blame(costFrame)
	}
	initial := c.initial // only the reader writes it
	for ; len(payload) > 0; payload = payload[settingSize:] {
		id, value := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint32(payload[2:])
		if err := checkSetting(id, value); err != nil {
			return err
		}
		if id == settingWindow {
			initial = int64(value)
		}
	}
	if err := c.moveWindows(initial); err != nil {
		return err
	}
	c.control(appendFrame(nil, frame{kind: frameSettings, flags: flagAck}))
	return c.blame(costSettings)
}

// checkSetting refuses values out of their range. Settings of what we would have to
// remember for the client, such as the table of our encoder, are kept by never using
// it, and those of larger frames by never sending any.
func checkSetting(id uint16, value uint32) error {
	switch {
	case (id == settingPush || id == settingConnect) && value > 1:
		return broken(ProtocolError, "a setting that is neither 0 nor 1")
	case id == settingFrameSize && (value < maxFrame || value > 1<<24-1):
		return broken(ProtocolError, "SETTINGS_MAX_FRAME_SIZE out of its range")
	case id == settingWindow && int64(value) > maxWindow:
		return broken(FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE out of its range")
	}
	return nil
}

// moveWindows changes the windows of all streams by what the initial one changes
// (RFC 9113 section 6.9.2). They may become negative.
func (c *Conn) moveWindows(initial int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delta := initial - c.initial
	if delta == 0 {
		return nil
	}
	c.initial = initial
	for _, s := range c.streams {
		if s.window += delta; s.window > maxWindow {
			return broken(FlowControlError, "a window over its bound")
		}
		s.wake()
	}
	return nil
}
