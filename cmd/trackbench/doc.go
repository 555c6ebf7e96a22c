// Trackbench measures what one tracked event costs the proxy in front of a
// collecting backend: trackgate, nginx and HAProxy side by side, on the same work.
//
// The work is POST /track with a 995-byte JSON body over TLS 1.3 with an ECDSA
// P-256 certificate, answered with 258 bytes. Every proxy ends TLS, lets only
// POST /track pass, sets X-Forwarded-For, keeps its connections to the backend
// and writes an access log; before anything is measured each one is asked
// whether it really does, and afterwards its log lines are counted.
//
//	core 0   one proxy, one worker: the others run too but have nothing to do
//	core 1   trackbench load, trackbench backend and, for logs over TCP, trackbench sink
//
// A scenario is played in rounds, and in each round every proxy has its turn,
// so that a slower minute of the machine hits all of them. One turn:
//
//  1. trackbench load prepares (connections, tickets, a warm path) and says so;
//  2. the processor time of the proxy and its workers is read;
//  3. load sends the agreed number of requests in a closed loop; one answer that
//     is not the expected 200 fails the run;
//  4. the processor time is read again; the difference is divided by the requests.
//
// The scenario idle reads resident memory instead: before and after 5,000
// connections that each made one request and went quiet, on a fresh process.
//
// The verbs are run (the default), load, backend and sink; run starts the others.
package main
