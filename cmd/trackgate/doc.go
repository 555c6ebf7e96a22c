// Command trackgate is the gate in front of a Tracardi installation. Each verb
// has a file of its own; serve.go wires the parts together, and nothing else in
// the tree does.
package main
