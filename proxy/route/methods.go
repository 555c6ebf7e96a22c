package route

import (
	"fmt"
	"strings"
)

// methods is a set of the methods that can be exposed. What is not in the
// table (CONNECT, TRACE, a method in lower case) is the empty set, which no
// rule contains.
type methods uint8

const (
	get methods = 1 << iota
	head
	post
	put
	patch
	remove
	options
	every = 1<<iota - 1
)

// methodOf is the set of one method, empty if it is not one of the table.
func methodOf(name []byte) methods {
	switch string(name) {
	case "GET":
		return get
	case "HEAD":
		return head
	case "POST":
		return post
	case "PUT":
		return put
	case "PATCH":
		return patch
	case "DELETE":
		return remove
	case "OPTIONS":
		return options
	}
	return 0
}

// methodsOf is the set of all names.
func methodsOf(names []string) (methods, error) {
	var set methods
	for _, name := range names {
		m := methodOf([]byte(name))
		if m == 0 {
			return 0, fmt.Errorf("%w: method %q cannot be exposed, wanted one of %s", ErrRule, name, methods(every).field())
		}
		set |= m
	}
	if set == 0 {
		return 0, fmt.Errorf("%w: no methods", ErrRule)
	}
	return set, nil
}

// field is the set as the value of an Allow field.
func (m methods) field() string { return fields[m&every] }

// fields holds the value for every possible set, so that none is built while a
// request waits.
var fields = func() (all [every + 1]string) {
	names := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	for set := range all {
		var chosen []string
		for bit, name := range names {
			if set&(1<<bit) != 0 {
				chosen = append(chosen, name)
			}
		}
		all[set] = strings.Join(chosen, ", ")
	}
	return all
}()
