// Package docs holds the documents for people. It has no code, only the tests
// that keep the documents true to the program.
package docs
