package config

// managedSource is where macOS writes the settings of a configuration profile
// for the domain dev.meetguard.agent, for the whole machine. Profiles of a user
// do not count.
const managedSource = "/Library/Managed Preferences/dev.meetguard.agent.plist"

func readManaged() managed { return fromFile(managedSource, parsePlist) }
