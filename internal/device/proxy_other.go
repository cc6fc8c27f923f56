//go:build !windows && !darwin

package device

// systemProxies has nothing to read: here the environment is the system's
// setting.
func systemProxies() proxyRules { return proxyRules{} }
