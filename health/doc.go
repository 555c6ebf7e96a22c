// Package health finds out which backends of a pool are up. A Monitor has two
// sources, which know nothing of one another:
//
//  1. check: each backend is asked by itself, all in parallel. A probe is one GET
//     on a connection of its own; it passed if an answer with an expected status
//     came in time. Redirects are answers and not followed. A connection that can
//     be made proves nothing (gunicorn accepts before the application is ready),
//     hence probes are HTTP. A tally counts them: it takes as many in a row as
//     rise and fall say to change its mind.
//  2. traffic: whoever makes attempts tells how they went. A streak of attempts
//     without connection or answer ejects a backend, and so do 5xx for many
//     clients when other backends serve theirs. An answer that is late is none of
//     them if the backend answered anybody meanwhile. An ejection is a pause,
//     longer each time. What is seen in the traffic also brings the next probe
//     forward, because a probe knows better. A backend that is down is missed: it
//     is probed every second at least, and as soon as it passes, again at once.
//
// The judge makes one state of them: up is who neither failed its checks nor
// pauses. It is told at once, with the reason in words, but for this:
//
//   - A backend starts unknown, and is given traffic like one that is up: a gate
//     that has just started knows nothing against it.
//   - A backend that has changed stays as it is for some seconds, so that one that
//     comes and goes does not do so for its clients.
//   - Traffic takes no more than half of a pool, and never the last backend. It
//     can be made to lie: some requests are answered with 500 by every backend,
//     and one client that knows them must not empty the pool. This is why clients
//     are counted and not answers. Checks may take all backends, because then it
//     is the truth.
//   - While nobody is up, pauses are lifted, probes come more often, and one that
//     passes is enough.
//
// Whoever gives out the work says which backends are idle, because they drain or
// have no weight. They are watched all the same, but they are none of the pool
// that these rules speak of: nobody is up while only idle ones are.
package health
