package device

import (
	"context"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// machineIDs asks the I/O registry for the hardware's UUID, as IOKit without cgo
// has no other way, and the kernel for that of the boot session.
func machineIDs() (id, boot string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, "/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice").Output()
	if err == nil {
		id = parseIOReg(text)
	}
	boot, _ = unix.Sysctl("kern.bootsessionuuid")
	return id, boot
}
