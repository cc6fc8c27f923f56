package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"meetguard/internal/config"
)

// The drop-in that opens the network to the service. Alone it may reach nothing
// but this machine.
const (
	dropInFolder  = "/etc/systemd/system/meetguard.service.d"
	dropInFile    = dropInFolder + "/10-collector.conf"
	dropInContent = `# Made when this machine got a collector: the agent may reach its collector. Addresses in the
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
	if err := systemctl("daemon-reload"); err != nil {
		return err
	}
	return systemctl("try-restart", serviceName)
}

// openNetwork does for a service that enrols by itself, with a token from a file,
// what enroll does. The unit calls it as root before each start.
func openNetwork(file string) error {
	eff, err := config.LoadLayers(config.Inputs{File: file, Env: os.Environ()})
	if err != nil {
		return err
	}
	if exists(dropInFile) || !elsewhere(eff.Config.Collector) {
		return nil
	}
	if err := writeDropIn(); err != nil {
		return fmt.Errorf("open the network to the service: %w", err)
	}
	return systemctl("daemon-reload")
}

// elsewhere says whether a collector is on another machine, which the unit alone
// does not let the service reach.
func elsewhere(collector string) bool {
	u, err := url.Parse(collector)
	if err != nil || u.Hostname() == "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}

func systemctl(args ...string) error {
	if out, err := exec.Command("systemctl", args...).CombinedOutput(); err != nil && exists("/run/systemd/system") {
		return fmt.Errorf("call systemctl %s: %w: %s", args[0], err, oneLine(strings.TrimSpace(string(out))))
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
