package tlsconf

import (
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newZap returns a logger for certmagic whose lines go to the gate's own log.
func newZap(log zerolog.Logger) *zap.Logger { return zap.New(zapCore{log: log}) }

// zapCore writes zap's entries as lines of zerolog. What certmagic tells of each step is
// for who looks for a fault.
type zapCore struct {
	log    zerolog.Logger
	fields []zapcore.Field
}

// Enabled implements zapcore.Core.
func (c zapCore) Enabled(level zapcore.Level) bool { return c.log.GetLevel() <= levelOf(level) }

// With implements zapcore.Core.
func (c zapCore) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(c.fields[:len(c.fields):len(c.fields)], fields...)
	return c
}

// Check implements zapcore.Core.
func (c zapCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c zapCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range append(c.fields[:len(c.fields):len(c.fields)], fields...) {
		f.AddTo(encoder)
	}
	line := c.log.WithLevel(levelOf(entry.Level))
	for name, value := range encoder.Fields {
		if d, ok := value.(time.Duration); ok {
			name, value = name+"_seconds", d.Seconds()
		}
		line = line.Any(name, value)
	}
	line.Str("part", entry.LoggerName).Msg(entry.Message)
	return nil
}

// Sync implements zapcore.Core.
func (zapCore) Sync() error { return nil }

// levelOf has certmagic's news of a step as details.
func levelOf(level zapcore.Level) zerolog.Level {
	switch {
	case level >= zapcore.ErrorLevel:
		return zerolog.ErrorLevel
	case level == zapcore.WarnLevel:
		return zerolog.WarnLevel
	}
	return zerolog.DebugLevel
}
