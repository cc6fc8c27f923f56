package device

import "os"

// machineIDs reads machine-id(5) and random(4).
func machineIDs() (id, boot string) {
	for _, name := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if data, err := os.ReadFile(name); err == nil && len(data) >= 32 {
			id = string(data)
			break
		}
	}
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return id, string(data)
}
