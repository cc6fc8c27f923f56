// Package desktop tells the person at the keyboard, once for each finding, in
// their own language, on the desktop that owns the file.
package desktop
