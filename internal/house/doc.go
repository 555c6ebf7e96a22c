// Package house keeps the rules that this repository is built by. It holds
// nothing but tests: each reads the Go files of the whole tree and names, with
// file and line, what breaks a rule.
//
//   - arrows: which package may import which, so that pure things stay pure
//   - homes: the one package that each library lives in
//   - documented: a comment for each package and each exported name
//   - lengths: functions and files that can be read in one go
//   - parameters: at most five, and never two booleans side by side
//   - state: no init, no package variable that changes
//   - words: one word per thing, no marks of unfinished work, no sleeping tests
//
// A rule is a function from the tree to its findings, and every rule is also
// shown a small snippet that breaks it: a rule that cannot fail keeps nothing.
package house
