// Package socket is a TCP connection whose reads and writes do not tell Go's
// scheduler that they are system calls.
//
// The scheduler prepares for every system call to block: it marks the
// processor, wakes its watchdog thread (sysmon), which then looks every 20
// microseconds whether the processor should be given to another thread, and
// gives it away if the call takes longer than that, as a write on a busy
// machine does. A non-blocking socket never blocks. Without the announcement a
// visit (connect, handshake, one request, close) costs about a tenth less, and
// so does a request on a kept connection.
//
// The waiting is the runtime's as ever: deadlines, Close and the network poller
// work as for any net.Conn. Under the race detector the ordinary calls are used,
// because they carry what it knows of the order of things.
package socket
