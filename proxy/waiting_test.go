package proxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/configs"
)

func TestIdleConnectionsMakeRoomInACrowd(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		open       int64
		keep, want time.Duration
	}{
		{1, time.Minute, time.Minute - awake},
		{8, time.Minute, time.Minute - awake},
		{9, time.Minute, crowdedWait - awake},
		{9, 3 * time.Second, 3*time.Second - awake},
		{1, 500 * time.Millisecond, 0},
	} {
		g := &Gate{}
		g.room.Store(10)
		g.current.Store(&snapshot{timeouts: configs.Timeouts{KeepAlive: row.keep}})
		g.open.Store(row.open)
		assert.Equal(t, row.want, (&conn{gate: g}).patience(), "%+v", row)
	}
}
