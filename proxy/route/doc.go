// Package route decides what becomes of a method and a request target. It is
// pure: no I/O, no clock, no allocation, no lock; a Table never changes.
//
// There are two tables. A public one exposes only its rules: a path that is
// spelled out, a path with {name} in place of any one segment, or a subtree
// ("/uix/*"). An open one, for listeners that only known clients reach, passes
// on every target that has one meaning.
//
// A target is read once and never repaired:
//
//  1. read: origin-form (RFC 9112, section 3.2.1), visible ASCII, no fragment.
//     Everything else is malformed, the asterisk-form included: the gate does
//     not speak for its backends as a whole.
//  2. spell: public tables know only the unreserved letters of RFC 3986 and no
//     empty or dotted segment. They never decode, so a second spelling of a
//     path is a path that is not exposed. Open tables refuse what two programs
//     could read as two different paths: dot segments, slashes and control
//     bytes that hide behind a percent sign, backslashes.
//  3. strip: the base path goes if it is there as whole segments; a listener
//     that has one exposes nothing outside of it.
//  4. find: compared byte by byte. One closing slash is forgiven, because the
//     backend would answer it with a redirect that loses the event.
//  5. decide: the methods of all rules that match the path, together.
//
// What goes to the backend is the path of the rule, not the client's bytes;
// where a rule leaves a choice, the bytes have passed step 2.
package route
