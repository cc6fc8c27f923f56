package script

import "bytes"

// otherObjects are what only browsers and Node have. A bundle for browsers
// speaks of ActiveXObject for the sake of old ones, and a tool for Node may
// carry any words.
var otherObjects = [][]byte{[]byte("module.exports"), []byte("require("), []byte("document."), []byte("window."), []byte("exports."), []byte("define.amd"),
	[]byte("addEventListener("), []byte("process.env"), []byte("Promise"), []byte("async ")}

// forBrowsersOrNode says whether JavaScript uses the objects of a browser or
// of Node, which the Windows Script Host has not. It takes three of them: one
// or two may be put there for show.
func forBrowsersOrNode(data []byte) bool {
	n := 0
	for _, w := range otherObjects {
		if bytes.Contains(data, w) {
			n++
		}
	}
	return n >= 3
}
