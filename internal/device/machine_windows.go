package device

import (
	"strconv"

	"golang.org/x/sys/windows/registry"
)

// machineIDs reads the id that Windows Setup gave this installation, and the
// number of the boot that the prefetcher counts.
func machineIDs() (id, boot string) {
	if k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, registry.QUERY_VALUE|registry.WOW64_64KEY); err == nil {
		id, _, _ = k.GetStringValue("MachineGuid")
		k.Close()
	}
	const prefetch = `SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`
	if k, err := registry.OpenKey(registry.LOCAL_MACHINE, prefetch, registry.QUERY_VALUE); err == nil {
		if n, _, err := k.GetIntegerValue("BootId"); err == nil {
			boot = strconv.FormatUint(n, 10)
		}
		k.Close()
	}
	return id, boot
}
