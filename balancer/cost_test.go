package balancer

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

func TestABackendSharesNoCacheLine(t *testing.T) {
	var b Backend
	assert.EqualValues(t, 128, unsafe.Sizeof(b))
	assert.Less(t, unsafe.Offsetof(b.up), uintptr(64), "what every pick touches is on the first line")
}

func TestPickingAllocatesNothing(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		for _, n := range []int{0, 3, 20} {
			for _, limit := range []int{0, 1} {
				p := New(Options{Policy: policy, Limit: limit, Queue: 1}, ring(n, equal)...)
				assert.Zero(t, testing.AllocsPerRun(100, func() { exchangeTwice(p) }), "policy %d, %d backends", policy, n)
			}
		}
	}
}

func TestBeingRefusedAllocatesNothing(t *testing.T) {
	p := New(Options{Limit: 1, Queue: 1}, ring(2, equal)...)
	fill(t, p, 2)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, err := p.Await(p.Backends()[:1], 0, 0)
		if err != ErrFull {
			t.Error(err)
		}
	}))
}

// exchangeTwice is an exchange with a second attempt.
func exchangeTwice(p *Pool) {
	var tried [2]*Backend
	for i := range tried {
		if b, err := p.Await(tried[:i], 0, 0); err == nil {
			tried[i] = b
			p.Release(b)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for policy, name := range []string{"round_robin", "least_busy", "two_choices"} {
		for _, n := range []int{2, 1000} {
			p := New(Options{Policy: Policy(policy), Limit: 100, Queue: 1000}, ring(n, equal)...)
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				for b.Loop() {
					picked, _ := p.Await(nil, time.Second, 0)
					p.Release(picked)
				}
			})
			b.Run(fmt.Sprint(name, "/", n, "-parallel"), func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						picked, _ := p.Await(nil, time.Second, 0)
						p.Release(picked)
					}
				})
			})
		}
	}
}
