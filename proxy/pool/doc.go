// Package pool is a pool of backends at work. It brings together what knows
// nothing of one another:
//
//	balancer/discovery   who is there       -> join and leave (members.go)
//	health               who is up          -> changed (pool.go)
//	balancer             whose turn it is   <- Claim, Release
//	proxy/backend        connections        <- Backend.Conns
//
// An exchange claims a backend, has its attempt on one of the backend's
// connections, and says with Backend.Done how it went; that ends the claim and is
// what the passive observation sees. A backend that is found by DNS joins with a
// slow start. One that is not found any more takes nothing new, finishes what it
// has, and is forgotten. Everybody else keeps state and connections. A name that
// cannot be resolved changes nothing: the last good answer stays.
//
// A pool owns its goroutines: Run blocks until its context ends.
package pool
