package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/tlsconf"
)

// A word that metrics do not know would be counted as failed.
func TestEveryEndOfAHandshakeHasItsMetric(t *testing.T) {
	for _, word := range tlsconf.HandshakeResults() {
		require.Equal(t, word, metrics.HandshakeNamed(word).String())
	}
}
