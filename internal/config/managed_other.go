//go:build !linux && !darwin && !windows

package config

// managedSource is as on Linux.
const managedSource = "/etc/meetguard/managed.yaml"

func readManaged() managed { return fromFile(managedSource, parseManagedYAML) }
