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
// A story that a gate has to tell alike in every protocol runs over each:
//
//	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
//		edge := p.Edge(t, testbed.Pool(backend.Addr))
//		edge.Post(t, "/track", "{}").HasStatus(200)
//	})
//
// What clients send is written as HTTP/1.1 has it; over HTTP/2 it goes out as the frames
// that mean the same. What only HTTP/2 has, [Gate.Frames] does frame by frame.
//
// Nothing here sleeps: whoever waits, waits for something that happens, and
// gives up after [Patience].
//
// Words: an actor plays a backend; an act is one thing it does; a line is one
// of the access log; the journal is the gate's other log.
package testbed
