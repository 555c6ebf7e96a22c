package main

import (
	"context"
	"errors"
)

// turn lets the contender with an index play once.
type turn func(contender int) (float64, error)

// playRounds plays all rounds of a scenario and keeps what they gave.
func (b *bench) playRounds(ctx context.Context, s scenario, field []contender, to *results) error {
	if s.unit == unitMemory {
		values, err := interleave(s.rounds, len(field), func(i int) (float64, error) {
			return b.memoryTurn(ctx, s, field[i])
		})
		to.add(s, field, values)
		return err
	}
	return b.playTogether(ctx, s, field, to)
}

// playTogether plays with all proxies running.
func (b *bench) playTogether(ctx context.Context, s scenario, field []contender, to *results) (err error) {
	var running []*berth
	defer func() {
		for _, p := range running {
			err = errors.Join(err, p.land(ctx))
		}
	}()
	for _, c := range field {
		p, err := b.launch(ctx, c)
		if err != nil {
			return err
		}
		running = append(running, p)
	}
	values, err := interleave(s.rounds, len(field), func(i int) (float64, error) {
		return b.processorTurn(ctx, s, running[i])
	})
	to.add(s, field, values)
	return err
}

// interleave gives every contender one turn a round, each round beginning with
// another one, and returns the values of each contender.
func interleave(rounds, contenders int, play turn) ([][]float64, error) {
	values := make([][]float64, contenders)
	for round := range rounds {
		for k := range contenders {
			i := (round + k) % contenders
			value, err := play(i)
			if err != nil {
				return nil, err
			}
			values[i] = append(values[i], value)
		}
	}
	return values, nil
}
