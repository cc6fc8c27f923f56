package config

// managedSource is the file that a configuration management writes.
const managedSource = "/etc/meetguard/managed.yaml"

func readManaged() managed { return fromFile(managedSource, parseManagedYAML) }
