package device

import "golang.org/x/sys/windows/registry"

// The settings of the machine: those of WinHTTP, which services use, and those
// of WinINet where a policy makes them the machine's.
const (
	winHTTPKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections`
	winINetKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings`
)

// systemProxies reads WinHTTP's proxy first, and else WinINet's: the machine's,
// then that of the account the agent runs as.
func systemProxies() proxyRules {
	var found proxyRules
	if k, err := registry.OpenKey(registry.LOCAL_MACHINE, winHTTPKey, registry.QUERY_VALUE|registry.WOW64_64KEY); err == nil {
		defer k.Close()
		if blob, _, err := k.GetBinaryValue("WinHttpSettings"); err == nil {
			found, _ = parseWinHTTP(blob)
		}
	}
	for _, hive := range []registry.Key{registry.LOCAL_MACHINE, registry.CURRENT_USER} {
		if found.proxy == "" {
			if r := winINet(hive); r.proxy != "" || r.script {
				found = r
			}
		}
	}
	return found
}

func winINet(hive registry.Key) proxyRules {
	k, err := registry.OpenKey(hive, winINetKey, registry.QUERY_VALUE)
	if err != nil {
		return proxyRules{}
	}
	defer k.Close()
	script, _, _ := k.GetStringValue("AutoConfigURL")
	if on, _, err := k.GetIntegerValue("ProxyEnable"); err != nil || on == 0 {
		return proxyRules{script: script != ""}
	}
	list, _, _ := k.GetStringValue("ProxyServer")
	bypass, _, _ := k.GetStringValue("ProxyOverride")
	return windowsRules(list, bypass)
}
