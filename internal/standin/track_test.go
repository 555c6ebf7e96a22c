package standin

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

func TestTrackEchoesProfileAndSession(t *testing.T) {
	s := running(t)
	event, err := os.ReadFile("../../examples/event.json")
	require.NoError(t, err)
	assert.InDelta(t, 995, len(event), 20, "the size of a small page view")

	res := ask(t, s, request("POST", "/track?profile_less=true", string(event)))

	require.Equal(t, 200, res.StatusCode, res.body)
	assert.Regexp(t, `^{"task":"`+uuid+`","ux":\[\],"response":{},"events":\["`+uuid+`"\],`+
		`"profile":{"id":"0d6a2f7b-93c1-4b58-a2e4-c7f10e5d8b36"},`+
		`"session":{"id":"b1a7c9de-4f52-4d3b-8c0e-6a9d2f7e1035"},"errors":\[\],"warnings":\[\]}$`, res.body)
	assert.Equal(t, "/track?profile_less=true", s.Last().Target)
	assert.Equal(t, event, s.Last().Body)
}

func TestAProfileIsInventedForWhoHasNone(t *testing.T) {
	s := running(t)
	for _, profile := range []string{``, `,"profile":null`, `,"profile":{}`} {
		res := ask(t, s, request("POST", "/track", `{"source":{"id":"x"}`+profile+`}`))
		assert.Regexp(t, `"events":\[\],"profile":{"id":"`+uuid+`"},"session":null`, res.body)
	}
}

func TestEventsAreCountedById(t *testing.T) {
	s := running(t)
	for _, events := range []string{`[{"id":"a"},{"id":"b"}]`, `[{"id":"a"}]`} {
		res := ask(t, s, request("POST", "/track", `{"source":{},"events":`+events+`}`))
		require.Equal(t, 200, res.StatusCode)
	}
	assert.Equal(t, map[string]int{"a": 2, "b": 1}, s.Seen())
	assert.Equal(t, 2, s.Requests())
	assert.JSONEq(t, `{"id":"one","events":{"a":2,"b":1}}`, ask(t, s, request("GET", "/seen", "")).body)
}

func TestOnlyJSONIsTaken(t *testing.T) {
	s := running(t)
	for kind, status := range map[string]int{"": 200, "application/json;charset=utf-8": 200, "text/plain": 422} {
		r := request("POST", "/track", `{"source":{}}`)
		r.Header.Set("Content-Type", kind)
		assert.Equal(t, status, ask(t, s, r).StatusCode, kind)
	}
}
