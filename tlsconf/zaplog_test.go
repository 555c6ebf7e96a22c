package tlsconf

import (
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
)

func TestLinesOfCertmagicAreLinesOfTheGate(t *testing.T) {
	l := &log{}
	z := newZap(l.logger().Level(zerolog.InfoLevel)).Named("obtain").With(zap.String("identifier", "a"))
	z.Info("acquiring lock")
	assert.Empty(t, l.String(), "each step is a detail")
	z.Warn("slow", zap.Duration("waited", 1500*time.Millisecond))
	assert.JSONEq(t, `{"level": "warn", "identifier": "a", "waited_seconds": 1.5, "part": "obtain", "message": "slow"}`, l.String())

	l = &log{}
	newZap(l.logger()).Error("failed", zap.Error(errors.New("no")), zap.Strings("names", []string{"b"}))
	assert.JSONEq(t, `{"level": "error", "error": "no", "names": ["b"], "part": "", "message": "failed"}`, l.String())

	l = &log{}
	newZap(l.logger()).Debug("a step")
	assert.Contains(t, l.String(), `"level":"debug"`)
}
