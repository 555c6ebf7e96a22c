package configs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhereASyslogIsReached(t *testing.T) {
	for output, want := range map[string]string{
		"syslog":                     "unix /dev/log",
		"unix:///run/log/socket":     "unix /run/log/socket",
		"udp://10.0.0.5:514":         "udp 10.0.0.5:514",
		"udp://10.0.0.5":             "udp 10.0.0.5:514",
		"tcp://Logs.example.com:601": "tcp logs.example.com:601",
		"tcp://[2001:db8::5]":        "tcp [2001:db8::5]:514",
		"tcp://[2001:db8::5]:6514":   "tcp [2001:db8::5]:6514",
	} {
		network, address, ok := AccessLog{Output: output}.Syslog()
		require.True(t, ok, output)
		require.Equal(t, want, network+" "+address)
	}
	for _, output := range []string{
		"", "stdout", "off", "/dev/log", "udp", "udp://", "udp://:514", "udp://a:0", "udp://a:b", "udp://a/b", "udp://user@a", "udp://2001:db8::5",
		"unix://dev/log", "unix://", "tls://a", "syslog://a", "UDP://a", "tcp://a b", "tcp://10.0.0.5:514/",
	} {
		_, _, ok := AccessLog{Output: output}.Syslog()
		require.False(t, ok, output)
	}
}

func TestNothingIsPutAsideUnlessItIsSaid(t *testing.T) {
	require.False(t, Defaults().Log.Access.Rotate.On())
	require.True(t, Rotate{Size: MiB}.On())
	require.True(t, Rotate{Age: time.Hour}.On())
	require.False(t, Rotate{Keep: 3, Compress: true}.On())
}
