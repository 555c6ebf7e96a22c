// Package configs is what an operator can set: the keys, their defaults and
// what is a mistake.
//
// Settings come from one YAML file and from the environment. [Load] and
// [Parse] take them through these steps, and what fails in one of them never
// stops the others, so that all mistakes are reported at once:
//
//  1. document: YAML becomes a tree of nodes that know their place. Anchors,
//     aliases, tags and repeated keys are refused, so the tree is never larger
//     than the text.
//  2. environment: TRACKGATE_ variables replace or add nodes.
//  3. expand: ${NAME} inside a value is replaced.
//  4. decode: the tree is held against the Go types of the settings. Keys
//     nobody knows and values of the wrong type are mistakes; the rest becomes
//     plain values, which viper puts into the draft over its defaults.
//  5. compile: the draft becomes [Settings]; ranges, names, references and
//     contradictions are checked.
//
// A key is the name of its Go field in snake case, so both have one spelling.
// Everything that is wrong is a [Mistake] with the place, the key, the value
// and what was wanted; the error of Load and Parse is the list of them,
// [Mistakes].
//
// The package holds two further views of the same settings: the commented
// [Reference] and the JSON [Schema] for editors. Tests keep the three equal.
//
// [Hosts] answers which listener of an address a name belongs to; the TLS side
// asks it about the SNI and the HTTP side about the Host field, so that both
// can never disagree.
package configs
