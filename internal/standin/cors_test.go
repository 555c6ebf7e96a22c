package standin

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnyOriginIsAllowed(t *testing.T) {
	s := running(t)
	r := request("OPTIONS", "/track", "")
	r.Header.Set("Origin", "https://shop.example.com")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "x-timestamp")
	res := ask(t, s, r)
	assert.Equal(t, "OK", res.body)
	assert.Equal(t, "https://shop.example.com", res.Header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "x-timestamp", res.Header.Get("Access-Control-Allow-Headers"))

	for cookie, origin := range map[string]string{"": "*", "a=b": "https://shop.example.com"} {
		r := request("POST", "/track", `{"source":{}}`)
		r.Header.Set("Origin", "https://shop.example.com")
		r.Header.Set("Cookie", cookie)
		res := ask(t, s, r)
		assert.Equal(t, origin, res.Header.Get("Access-Control-Allow-Origin"), "cookie %q", cookie)
		assert.Equal(t, "true", res.Header.Get("Access-Control-Allow-Credentials"))
	}
}
