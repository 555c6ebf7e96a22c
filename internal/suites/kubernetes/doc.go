// Package kubernetes checks what we give to those who run the gate in Kubernetes: the
// manifests in examples, as kubectl's kustomize makes them, and the chart in
// packaging/helm, as Helm renders it for a handful of values.
//
// Each object is decoded strictly into the type that Kubernetes has for it, so that a
// misspelt field fails. Then they are held against each other and against the settings
// in them, which have to be without mistakes: ports, names, probes, times, and the
// profile that Kubernetes calls restricted, by its own judge.
//
// It is a module of its own, so that the gate needs nothing of all that: `make
// kubernetes` runs the tests, which need nothing but Go.
package kubernetes
