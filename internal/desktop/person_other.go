//go:build unix && !linux

package desktop

// firstPerson is the first id that macOS gives to a person.
const firstPerson = 501
