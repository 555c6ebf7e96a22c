// Package health finds out which backends of a pool are up, by asking them.
//
// A Checker asks every backend by itself, all of them in parallel:
//
//  1. probe: one GET on a connection of its own. It passed if an answer with an
//     expected status arrived in time; redirects are answers and not followed.
//  2. tally: the outcome is added to the check of that backend. Unknown becomes
//     up with the first probe that passes; after that it takes as many in a row
//     as rise and fall say to change its mind, so that a backend that comes and
//     goes does not do so for its clients.
//  3. tell: a change is told at once, with the reason in words.
//  4. wait: for the interval, shortened or stretched by up to a tenth, so that
//     many gates do not ask in step.
//
// A backend starts unknown. It is to be given traffic like one that is up:
// a gate that has just started knows nothing against it.
//
// A connection that can be made proves nothing (gunicorn accepts before the
// application is ready), hence probes are HTTP. Watching the traffic itself,
// which finds a dead backend before the next probe does, is another judge
// beside this one with the same way to tell.
package health
