// Package people decides who somebody is and what he may do: passwords,
// one-time codes, sessions, log-in with OpenID Connect, roles. It keeps nothing
// but the counters of the log-in throttle; accounts and sessions are kept by the
// caller, who gives it the time as well.
//
// What is random comes from crypto/rand, what is secret is compared in constant
// time, and no secret stands in an error.
package people
