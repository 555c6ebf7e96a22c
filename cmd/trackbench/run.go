package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// mostCertificates bounds what is written to the disk.
const mostCertificates = 100_000

// runLimit bounds a whole run.
const runLimit = 30 * time.Minute

// options are what the user of the run verb chose.
type options struct {
	trackgate    string
	before       string   // "" for none
	only         []string // names of contenders; empty: all
	scenarios    []string // names; empty: all
	jsonFile     string
	certificates int
	rounds       int // of each scenario; 0: as usual
	proxyCore    int
	loadCore     int
	quick        bool
	verbose      bool
}

// runVerb measures and prints.
func runVerb(ctx context.Context, args []string, std streams) error {
	o, err := parseOptions(args, std)
	if err != nil {
		return err
	}
	field, err := o.field()
	if err != nil {
		return err
	}
	plan, err := o.plan()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	results, err := measure(ctx, o, plan, field, std)
	if err != nil {
		return err
	}
	return errors.Join(results.writeTable(std.out), results.writeJSON(o.jsonFile))
}

// mostRounds is about an hour for two proxies and a scenario.
const mostRounds = 1000

func parseOptions(args []string, std streams) (options, error) {
	var o options
	var only, played string
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&o.trackgate, "trackgate", "bin/trackgate", "`path` of trackgate")
	flags.StringVar(&o.before, "before", "", "`path` of an earlier trackgate that takes part as \"before\"; with -only trackgate,before the ratio is to it")
	flags.StringVar(&only, "only", "", "`proxies` to measure, separated by commas: trackgate, nginx, haproxy, before")
	flags.StringVar(&played, "scenarios", "", "`scenarios` to play, separated by commas: "+strings.Join(names(scenarios(false)), ", "))
	flags.IntVar(&o.certificates, "certificates", 0, "`number` of further certificates in trackgate's storage; \"before\" stays without")
	flags.IntVar(&o.rounds, "rounds", 0, "`number` of rounds of each scenario, for proxies that are close to each other; 0 is the usual")
	flags.StringVar(&o.jsonFile, "json", "", "`file` that the figures are written to as JSON")
	flags.IntVar(&o.proxyCore, "proxy-core", 0, "core that the proxies run on")
	flags.IntVar(&o.loadCore, "load-core", 1, "core that load and backend run on")
	flags.BoolVar(&o.quick, "quick", false, "fewer rounds and requests: about three minutes")
	flags.BoolVar(&o.verbose, "v", false, "print process ids and every turn")
	if err := parseFlags(flags, args, std.err); err != nil {
		return options{}, err
	}
	o.only, o.scenarios = commas(only), commas(played)
	if o.certificates < 0 || o.certificates > mostCertificates {
		return options{}, useError(fmt.Sprintf("-certificates must be from 0 to %d", mostCertificates))
	}
	if o.rounds < 0 || o.rounds > mostRounds {
		return options{}, useError(fmt.Sprintf("-rounds must be from 0 to %d", mostRounds))
	}
	if o.proxyCore == o.loadCore {
		return options{}, useError("-proxy-core and -load-core must differ")
	}
	return o, nil
}

func commas(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// field returns the contenders that were chosen, found.
func (o options) field() ([]contender, error) {
	settings := trackgateSettings
	if o.certificates > 0 {
		settings = stockedSettings()
	}
	all := []contender{trackgate(ours, o.trackgate, settings+operated), nginx(), haproxy()}
	if o.before != "" {
		all = append(all, trackgate(earlier, o.before, trackgateSettings+unattended))
	}
	chosen, err := choose(all, o.only, func(c contender) string { return c.name })
	if err != nil {
		return nil, err
	}
	for i := range chosen {
		if chosen[i], err = chosen[i].find(); err != nil {
			return nil, err
		}
	}
	return chosen, nil
}

// plan returns the scenarios that were chosen, and misses h2load before anything is
// measured.
func (o options) plan() ([]scenario, error) {
	plan, err := choose(scenarios(o.quick), o.scenarios, func(s scenario) string { return s.name })
	for i := range plan {
		plan[i].rounds = cmp.Or(o.rounds, plan[i].rounds)
	}
	if err == nil && slices.ContainsFunc(plan, scenario.overHTTP2) {
		_, err = findH2load()
	}
	return plan, err
}

// choose keeps what is named, in its own order; no names keep everything.
func choose[T any](all []T, names []string, name func(T) string) ([]T, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	var chosen []T
	for _, one := range all {
		known = append(known, name(one))
		if slices.Contains(names, name(one)) {
			chosen = append(chosen, one)
		}
	}
	for _, wanted := range names {
		if !slices.Contains(known, wanted) {
			return nil, useError(fmt.Sprintf("unknown name %q: wanted %s", wanted, strings.Join(known, ", ")))
		}
	}
	return chosen, nil
}

// measure plays every scenario with every contender.
func measure(ctx context.Context, o options, plan []scenario, field []contender, std streams) (results results, err error) {
	b, err := newBench(ctx, o, std.err)
	if err != nil {
		return results, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	results = newResults(ctx, field)
	for _, s := range plan {
		fmt.Fprintf(std.err, "%s: %d rounds\n", s.name, s.rounds)
		if err := b.playRounds(ctx, s, field, &results); err != nil {
			return results, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return results, nil
}

// writeFile is os.WriteFile for what everybody may read.
func writeFile(path string, data []byte) error {
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return nil
}
