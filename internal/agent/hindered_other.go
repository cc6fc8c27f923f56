//go:build !linux

package agent

// hindrances is looked for on Linux only.
func hindrances(int, string) []string { return nil }

// VolumeTrouble is looked for on Linux only.
func VolumeTrouble(string) string { return "" }
