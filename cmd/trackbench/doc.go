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
//	core 1   trackbench load with its h2load, trackbench backend and, for logs over TCP, trackbench sink
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
// The scenarios over HTTP/1.1:
//
//	keepalive   64 connections that stay
//	visit       connect, full handshake, one request, close; 16 at a time
//	resumed     the same with a session ticket
//	idle        resident memory instead of processor time: before and after 5,000
//	            connections that each made one request and went quiet, on a fresh process
//
// And over HTTP/2:
//
//	h2-32x8     32 connections that stay, with 8 requests at a time on each
//	h2-64x1     64 with one at a time
//	h2-128x2    128 with two at a time
//	h2-idle     idle with connections of HTTP/2: preface, settings, one request, its answer,
//	            settings acknowledged by both sides, then nothing
//
// The first three are played by h2load, of nghttp2: once to prepare, with a few
// requests on each stream, and once to be measured. It sends the event of the others:
// the same body, content-length and fields, the host as :authority; fields that come
// again take a byte each by HPACK, as with any client. The connections and handshakes
// of the measured run are part of what is measured: 64 of 300 us among 60,000 requests
// are 0.3 us a request. What h2load prints is read strictly: every request must have
// succeeded with a 2xx, and all bodies together must have the right size. A connection
// that a proxy closes under way fails the run, since h2load makes no other.
//
// The last one is played by a client of our own. Like idle it asks once more in the
// end, to see that every connection was kept.
//
// With -certificates trackgate has so many more in its storage, each for a host of its
// own, which authorities would renew; the others have the one. What it costs to have
// them, and to look after them meanwhile, is part of what is measured.
//
// trackgate runs with what its operators use: the verbs' socket, page and metrics, the
// watched file. An earlier one that takes part as "before" runs without, so that the
// ratio to it says what all of that costs.
//
// -rounds plays more of them than usual: proxies that are close to each other come apart
// only by many.
//
// The verbs are run (the default), load, backend and sink; run starts the others.
package main
