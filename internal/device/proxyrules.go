package device

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// proxyRules is what a system says about proxies for https.
type proxyRules struct {
	proxy  string   // host:port or URL, "" for none
	bypass []string // hosts that are asked directly: names with *, addresses, networks
	local  bool     // names without a dot are asked directly
	script bool     // the system would run a script to find out, which is not done here
}

var errProxyBlob = errors.New("read proxy settings: they are damaged")

// parseWinHTTP reads the value WinHttpSettings (or DefaultConnectionSettings) of
// Windows: a size and a counter that are not needed, flags, then two texts with
// their lengths in front, all in little endian: the proxies and what goes past
// them. The form is not documented by its maker; it is what netsh winhttp set
// proxy writes.
func parseWinHTTP(blob []byte) (proxyRules, error) {
	const manual, scripted = 2, 4 | 8 // INTERNET_PER_CONN_FLAGS: proxy; auto-configuration URL, detection
	if len(blob) < 12 {
		return proxyRules{}, errProxyBlob
	}
	flags := binary.LittleEndian.Uint32(blob[8:])
	list, rest, ok := cutText(blob[12:])
	if !ok {
		return proxyRules{}, errProxyBlob
	}
	bypass, _, ok := cutText(rest)
	if !ok {
		bypass = ""
	}
	if flags&manual == 0 {
		return proxyRules{script: flags&scripted != 0}, nil
	}
	r := windowsRules(list, bypass)
	r.script = r.proxy == "" && flags&scripted != 0
	return r, nil
}

func cutText(b []byte) (text string, rest []byte, ok bool) {
	if len(b) < 4 {
		return "", nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if b = b[4:]; uint64(n) > uint64(len(b)) {
		return "", nil, false
	}
	return string(b[:n]), b[n:], true
}

// windowsRules reads the lists of WinHTTP and WinINet: "proxy:8080" for
// everything, or "http=a:80;https=b:443" by scheme; and "*.corp;10.*;<local>".
func windowsRules(list, bypass string) proxyRules {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == ' ' || r == ',' })
	}
	var r proxyRules
	for _, entry := range split(list) {
		scheme, address, named := strings.Cut(entry, "=")
		if !named {
			r.proxy = entry
		} else if strings.EqualFold(scheme, "https") {
			r.proxy = address
			break
		}
	}
	for _, entry := range split(bypass) {
		if strings.EqualFold(entry, "<local>") {
			r.local = true
		} else {
			r.bypass = append(r.bypass, entry)
		}
	}
	return r
}

// parseScutil reads what `scutil --proxy` prints on macOS: one "Key : value" a
// line, lists in braces.
func parseScutil(text []byte) proxyRules {
	keys := map[string]string{}
	var r proxyRules
	depth, list := 0, false // what stands deeper is about single interfaces
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		key, value, ok := strings.Cut(line, " : ")
		switch {
		case line == "}":
			depth--
		case strings.HasSuffix(line, "{"):
			depth++
			list = depth == 2 && key == "ExceptionsList"
		case ok && depth == 2 && list:
			r.bypass = append(r.bypass, value)
		case ok && depth == 1:
			keys[key] = value
		}
	}
	r.local = keys["ExcludeSimpleHostnames"] == "1"
	if keys["HTTPSEnable"] == "1" && keys["HTTPSProxy"] != "" {
		r.proxy = keys["HTTPSProxy"]
		if port := keys["HTTPSPort"]; port != "" {
			r.proxy = net.JoinHostPort(r.proxy, port)
		}
		return r
	}
	r.script = keys["ProxyAutoConfigEnable"] == "1" || keys["ProxyAutoDiscoveryEnable"] == "1"
	return r
}

// url is the proxy for a host, nil for none. Only http proxies are used: they
// pass TLS through and need no trust.
func (r proxyRules) url(host string) *url.URL {
	if r.proxy == "" || r.bypasses(strings.ToLower(host)) {
		return nil
	}
	text := r.proxy
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return nil
	}
	return &url.URL{Scheme: "http", Host: u.Host}
}

func (r proxyRules) bypasses(host string) bool {
	ip, notIP := netip.ParseAddr(host)
	if notIP == nil && ip.IsLoopback() || host == "localhost" {
		return true
	}
	if r.local && notIP != nil && !strings.Contains(host, ".") {
		return true
	}
	for _, entry := range r.bypass {
		entry = strings.ToLower(entry)
		if network, ok := parseNetwork(entry); ok && notIP == nil && network.Contains(ip) {
			return true
		}
		if ok, err := path.Match(entry, host); ok && err == nil {
			return true
		}
	}
	return false
}

// parseNetwork reads 10.0.0.0/8, and 10/8 as macOS writes it.
func parseNetwork(text string) (netip.Prefix, bool) {
	address, bits, ok := strings.Cut(text, "/")
	if !ok {
		return netip.Prefix{}, false
	}
	for !strings.Contains(address, ":") && strings.Count(address, ".") < 3 {
		address += ".0"
	}
	p, err := netip.ParsePrefix(address + "/" + bits)
	return p, err == nil
}
