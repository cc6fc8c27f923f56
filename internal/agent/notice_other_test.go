//go:build !linux

package agent

// noticeMain has nothing to play: there is no session bus.
func noticeMain([]string) int { return 2 }
