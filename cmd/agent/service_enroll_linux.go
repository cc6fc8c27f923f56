package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// The drop-in that opens the network to the service. Alone it may reach nothing
// but this machine.
const (
	dropInFolder  = "/etc/systemd/system/meetguard.service.d"
	dropInFile    = dropInFolder + "/10-collector.conf"
	dropInContent = `# Made by "meetguard enroll": the agent may reach its collector. Addresses in the
# place of "any", those of the collector, the proxy and the name servers, let it
# reach nothing else.
[Service]
IPAddressAllow=any
`
)

// afterEnrol has the service of this machine use the identity that root made.
func (a *app) afterEnrol(state string) error {
	if err := handOver(state); err != nil {
		return fmt.Errorf("give the identity to the service: %w", err)
	}
	if os.Geteuid() != 0 || !exists(unitFile) && !exists(packageUnit) {
		return nil
	}
	if !exists(dropInFile) {
		if err := writeDropIn(); err != nil {
			return fmt.Errorf("open the network to the service: %w", err)
		}
		fmt.Fprintf(a.errOut, "the service may reach the network now: %s\n", dropInFile)
	}
	for _, args := range [][]string{{"daemon-reload"}, {"try-restart", serviceName}} {
		if out, err := exec.Command("systemctl", args...).CombinedOutput(); err != nil && exists("/run/systemd/system") {
			return fmt.Errorf("have the service started again: %w: %s", err, oneLine(strings.TrimSpace(string(out))))
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func writeDropIn() error {
	if err := os.MkdirAll(dropInFolder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(dropInFile, []byte(dropInContent), 0o644); err != nil {
		return err
	}
	return os.Chmod(dropInFile, 0o644) // whatever the umask
}

// handOver gives files that root made in a state folder of the service's account
// to that account. It takes plain files with one name only: the account may
// write there, and must not be given what it links to.
func handOver(state string) error {
	root, err := os.OpenRoot(state)
	if err != nil {
		return err
	}
	defer root.Close()
	fi, err := root.Stat(".")
	if err != nil {
		return err
	}
	owner, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 || os.Geteuid() != 0 {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(state, "*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := handOverFile(root, filepath.Base(name), owner); err != nil {
			return err
		}
	}
	return nil
}

func handOverFile(root *os.Root, name string, owner *syscall.Stat_t) error {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil // a link, or gone: none of root's
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || st.Uid != 0 || st.Nlink != 1 || !fi.Mode().IsRegular() {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}
