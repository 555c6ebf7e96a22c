package backend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echoes is a backend that allocates nothing per request.
func echoes(c far) {
	request, reply := make([]byte, len(ask)+len(event)), []byte(answer)
	for got := 0; ; {
		n, err := c.Read(request[got:])
		if err != nil {
			return
		}
		if got += n; got == len(request) {
			got = 0
			if _, err := c.Write(reply); err != nil {
				return
			}
		}
	}
}

// round is what an exchange of the gate does with a kept connection.
func round(tb testing.TB, k *Conns, head, body, method []byte) {
	now := time.Now()
	c := k.Kept(now)
	if c == nil {
		c = dial(tb, k)
	}
	err := c.Exchange(head, body, now)
	if err == nil {
		_, err = c.ReadHead(method)
	}
	if err == nil {
		_, _, err = c.Hold(inSize)
	}
	if err != nil {
		tb.Fatal(err)
	}
	k.Put(c, now)
}

func TestAnExchangeOnAKeptConnectionAllocatesNothing(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates")
	}
	k := backendThat(t, patient, echoes)
	head, body, method := []byte(ask), []byte(event), []byte("POST")
	round(t, k, head, body, method)
	require.Zero(t, testing.AllocsPerRun(500, func() { round(t, k, head, body, method) }))
}

func BenchmarkExchangeOnAKeptConnection(b *testing.B) {
	k := backendThat(b, patient, echoes)
	head, body, method := []byte(ask), []byte(event), []byte("POST")
	b.ReportAllocs()
	for b.Loop() {
		round(b, k, head, body, method)
	}
}
