// Package chain remembers launches and joins those that belong together: by
// ancestry, by the files that they hand to one another, and by the terminal,
// desktop or browser that started them within minutes. It tells what each one
// does (Deeds) and gives a launch its story, so that whoever judges can see an
// attack that is split over many launches.
//
// It is pure: no disk, no log, and no clock but the times of the launches. It
// judges nothing. Everything that it remembers is bounded, by number and age.
package chain
