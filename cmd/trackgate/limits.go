package main

import (
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/internal/cgroup"
)

// memoryShare is how much of what the process may have the collector takes for its
// limit, in percent. The rest is for what it does not count: the program itself,
// buffers in the kernel, and what is asked for while it works.
const memoryShare = 80

// memoryLimit returns the limit that the collector shall have, and the file that
// wants it; "" for none. Whoever has set GOMEMLIMIT, to anything, knows better.
func memoryLimit(lookup func(string) (string, bool), root fs.FS) (cgroup.Limit, error) {
	if _, set := lookup("GOMEMLIMIT"); set {
		return cgroup.Limit{}, nil
	}
	limit, err := cgroup.Memory(root)
	limit.Bytes = limit.Bytes / 100 * memoryShare
	return limit, err
}

// limitMemory keeps the collector below what the system lets the process have, and
// tells what the process may use. Near the limit the collector works more often than
// tidyMemory's headroom asks for; below it the headroom alone counts. The number
// of processors needs nothing done: the runtime follows the group's limit itself.
func limitMemory(log zerolog.Logger, root fs.FS) {
	limit, err := memoryLimit(os.LookupEnv, root)
	if err != nil {
		log.Warn().Err(err).Msg("the memory limit of this process cannot be read")
	}
	by := "GOMEMLIMIT"
	if limit.File != "" {
		by = limit.File
		debug.SetMemoryLimit(limit.Bytes)
	}
	line := log.Info().Int("processors", runtime.GOMAXPROCS(0))
	if bytes := debug.SetMemoryLimit(-1); bytes < math.MaxInt64 {
		line = line.Int64("memory_limit_bytes", bytes).Str("memory_limit_by", by)
	}
	line.Msg("what this process may use")
}
