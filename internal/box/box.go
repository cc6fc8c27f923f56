// Package box shuts the process that parses hostile bytes in: no files, no
// network, no new programs, and bounds on memory, time and output.
package box
