//go:build unix

package worker

import (
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzReceive: a child that was taken over may send anything on its channel.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03abc"), 2)
	f.Add([]byte("\xff\xff\xff\xff"), 4)
	f.Add([]byte("\x00\x00\x00\x00"), 1)
	f.Add([]byte("\x00\x00\x00\x01ab\x00"), 5)
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := &channel{fd: pair[0]}
		defer c.close()
		sent = sent[:min(len(sent), 16<<10)] // fits into the buffer of the pair
		cut = min(max(cut, 0), len(sent))
		for _, part := range [][]byte{sent[:cut], sent[cut:]} {
			if _, err := unix.Write(pair[1], part); err != nil {
				t.Fatal(err)
			}
		}
		unix.Close(pair[1])
		const limit = 8 << 10
		if body, err := c.receive(limit); err == nil && (len(body) > limit || len(body)+headSize > len(sent)) {
			t.Errorf("%d bytes of %d", len(body), len(sent))
		}
	})
}
