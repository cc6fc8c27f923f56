// Package watch tells what happens on this machine: files that land in the
// folders people download to, and programs that are launched.
//
// Both sources follow one rule. A reader takes what the kernel says and does
// nothing else, so that the kernel's queue never fills while somebody works.
// What it heard is a hint: the path is looked at again before an event is
// made of it. Whatever was lost, by an overflow, an error or while the agent
// was down, is found by listing the folders again against what was judged
// before (Journal).
//
// An event is emitted once for each content of each path. Nothing here opens a
// file, follows a symbolic link below a root, or keeps a name out of an event:
// names with control bytes or invalid UTF-8 pass through as they are.
package watch
