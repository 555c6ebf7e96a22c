package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBodiesAreJSONOfTheAgreedSize(t *testing.T) {
	assert.Len(t, eventBody(), 995)
	assert.Len(t, answerBody(), 258)
	assert.True(t, json.Valid([]byte(eventBody())), eventBody())
	assert.True(t, json.Valid([]byte(answerBody())), answerBody())
}

func TestRequestIsWhatAServerUnderstands(t *testing.T) {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(requestBytes("POST", "/track", eventBody()))))
	require.NoError(t, err)

	body, err := io.ReadAll(request.Body)

	require.NoError(t, err)
	assert.Equal(t, eventBody(), string(body))
	assert.Equal(t, "bench.test", request.Host)
	assert.Equal(t, "/track", request.URL.Path)
	assert.Equal(t, "application/json", request.Header.Get("Content-Type"))
}
