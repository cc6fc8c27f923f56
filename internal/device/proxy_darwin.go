package device

import (
	"context"
	"os/exec"
	"time"
)

// systemProxies asks the configuration store for the proxies of the network in
// use.
func systemProxies() proxyRules {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, "/usr/sbin/scutil", "--proxy").Output()
	if err != nil {
		return proxyRules{}
	}
	return parseScutil(text)
}
