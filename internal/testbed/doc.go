// Package testbed has real parts for tests that tell stories: a whole gate in
// the process of the test, backends that do what a script says, and clients that
// send exactly the bytes they are given. All of it talks over loopback.
//
//	alive := testbed.Backend(t, testbed.Says("hello"))
//	edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t), alive.Addr))
//
//	res := edge.Post(t, "/track", "{}")
//
//	res.HasStatus(200).HasBody("hello")
//	edge.LastLogLine(t).Has("attempts", 2).Has("backend", alive.Addr)
//
// Nothing here sleeps: whoever waits, waits for something that happens, and
// gives up after [Patience].
//
// Words: an actor plays a backend; an act is one thing it does; a line is one
// of the access log; the journal is the gate's other log.
package testbed
