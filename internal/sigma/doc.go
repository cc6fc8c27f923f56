// Package sigma judges launches by rules in the Sigma format, category
// process_creation. The format is that of the Sigma specification 2.1
// (https://sigmahq.io/sigma-specification/): what it leaves open is done as its
// reference converter, pySigma, does it.
//
// A rule is compiled once. What cannot be evaluated is refused when it is
// loaded, with file and line, because a rule that fails at its first event
// fails in silence. Rules are text of an operator and not of an attacker; still
// loading is bounded in time and memory, and a broken file costs its own rules
// only.
//
// An event is the facts of a launch under the names of Sigma's taxonomy and a
// few of our own (fields.go). A fact that is unknown is null: it equals nothing,
// and a rule that needs it does not match.
//
// Of the rules of one system most are never evaluated: an index of text that
// each rule needs (index.go) chooses those that could match.
package sigma
