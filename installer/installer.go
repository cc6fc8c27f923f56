// Package installer holds what a service manager is told of the agent, for the
// packages and for `meetguard service install`.
package installer

import _ "embed"

// Program is where the packages put the agent, and what Unit and Plist start.
const Program = "/usr/bin/meetguard"

// ProgramMac is the same on macOS, where /usr/bin belongs to the system.
const ProgramMac = "/usr/local/libexec/meetguard/meetguard"

// Unit is the unit of systemd.
//
//go:embed systemd/meetguard.service
var Unit string

// Sysusers is the account that Unit runs as, in the form of sysusers.d(5).
//
//go:embed systemd/meetguard.sysusers
var Sysusers string

// Plist is the property list of launchd.
//
//go:embed macos/com.meetguard.agent.plist
var Plist string
