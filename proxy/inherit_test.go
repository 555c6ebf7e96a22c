package proxy

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestListensAt(t *testing.T) {
	for _, row := range []struct {
		setting string
		at      net.TCPAddr
		want    bool
	}{
		{":443", net.TCPAddr{IP: net.IPv6unspecified, Port: 443}, true},
		{":443", net.TCPAddr{IP: net.IPv4zero, Port: 443}, true},
		{"0.0.0.0:443", net.TCPAddr{IP: net.IPv4zero, Port: 443}, true},
		{"[::]:443", net.TCPAddr{IP: net.IPv6unspecified, Port: 443}, true},
		{":443", net.TCPAddr{IP: net.IPv6unspecified, Port: 444}, false},
		{":443", net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, false},
		{"127.0.0.1:443", net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, true},
		{"127.0.0.1:443", net.TCPAddr{IP: net.IPv4zero, Port: 443}, false},
		{"127.0.0.2:443", net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, false},
		{"[2001:db8::1]:443", net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 443}, true},
		{"nonsense", net.TCPAddr{IP: net.IPv4zero, Port: 443}, false},
	} {
		assert.Equal(t, row.want, ListensAt(row.setting, &row.at), "%s at %s", row.setting, &row.at)
	}
}
