// Package supervisor keeps the program's service manager informed, in the words of
// sd_notify(3). Where there is none, which is where NOTIFY_SOCKET is not set, nothing
// happens.
//
//  1. READY=1 when the gate takes traffic, not before: who waits for the service finds
//     it serving.
//  2. STATUS= in words when they have changed, at most once a second.
//  3. WATCHDOG=1, every half of WatchdogSec, as long as the gate answers itself. A
//     Prober comes in by each listener, as clients do: over TCP, with the listener's
//     first host as SNI, up to the certificate. One that fails is repeated soon, so that
//     a hiccup is none; if it goes on, the manager starts the gate anew.
//  4. RELOADING=1 and READY=1 again around a reload, for Type=notify-reload.
//  5. STOPPING=1 when the drain begins, with the time that it may take, so that no unit
//     has to be changed together with timeouts.drain. From then on there is no door to
//     come in by; WATCHDOG=1 says only that the drain goes on.
//
// What a probe demands is what a new start could mend. The name has to be covered, and
// the chain to lead to the internal CA where that signs; of other certificates no chain
// is asked, as whom clients trust is theirs to say. A host that has no certificate yet,
// or none in its time, is known to be so and told elsewhere: to be killed for it
// again and again would help nobody. A refusal in the words of TLS is then as good an
// answer as any.
//
// A Prober tells beforehand which port it comes from. The gate does not count such a
// connection, and neither limits nor ranges nor PROXY headers stand in its way: clients
// who share the address, as behind a load balancer on the same machine, cannot have the
// gate killed by using up its limits. Nothing but a handshake can be had by it.
package supervisor
