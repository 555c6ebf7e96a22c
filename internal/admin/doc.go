// Package admin is the side of the gate that operators, Prometheus and
// Kubernetes talk to: /livez, /readyz, /metrics, /status, /recent, /backends and /certs on an
// address of its own, with a page for people at /, and actions besides on a unix socket.
//
// It is not the request path, so it is built on net/http. It trusts nobody
// either: a web page can make a browser on the same machine, or one inside the
// company, send requests here. So only GET and HEAD of exact paths are
// answered, no answer carries CORS fields, and a Host that is a name nobody
// configured is refused: that is how a page which resolves its own name to
// 127.0.0.1 (DNS rebinding) gives itself away. The socket is no web page's to open: there
// the rights of the file decide who may act.
//
// The page is one file of HTML with its style and its script inside, made of page/. What it
// shows is text to it wherever it comes from, and its policy (CSP) lets nothing else run.
package admin
