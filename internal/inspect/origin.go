package inspect

import (
	"net/netip"
	"net/url"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"meetguard"
)

// maxOrigin is how much of one attribute is read, in bytes. Linux allows no
// more.
const maxOrigin = 64 << 10

// RawOrigin is what the system noted about where a file came from, unparsed.
// Anybody who can write the file can write these, and many programs write none:
// they may raise suspicion and never lower it.
type RawOrigin struct {
	XDGURL         []byte // Linux: user.xdg.origin.url, as Chromium writes it
	XDGReferrer    []byte // Linux: user.xdg.referrer.url
	Quarantine     []byte // macOS: com.apple.quarantine, "flags;time;program;uuid"
	WhereFroms     []byte // macOS: com.apple.metadata:kMDItemWhereFroms, a property list of URLs
	ZoneIdentifier []byte // Windows: the stream Zone.Identifier, an INI file
}

// Empty says that nothing was noted.
func (r RawOrigin) Empty() bool {
	return len(r.XDGURL)+len(r.XDGReferrer)+len(r.Quarantine)+len(r.WhereFroms)+len(r.ZoneIdentifier) == 0
}

// ReadOrigin reads the attributes of an open file, at most 64 KiB of each. On
// Windows the stream is opened by the name of f, which may by then be another
// file. An attribute that is absent is no gap.
func ReadOrigin(f *os.File) (RawOrigin, []meetguard.Gap) {
	raw, err := readOrigin(f)
	if err != nil {
		return raw, []meetguard.Gap{{Fact: "origin", Reason: err.Error()}}
	}
	return raw, nil
}

// ParseOrigin tells the hosts in raw, in lower case, without port and
// credentials. Nothing else of a URL is kept. Where several attributes tell the
// host, that of the running system's own kind comes first.
func ParseOrigin(raw RawOrigin) meetguard.Origin {
	o := parseZoneIdentifier(raw.ZoneIdentifier)
	urls := append(binaryPlistList(raw.WhereFroms, 2), "", "")
	for _, found := range [...]meetguard.Origin{
		{Host: hostOf(urls[0]), ReferrerHost: hostOf(urls[1])},
		{Host: hostOf(textOf(raw.XDGURL)), ReferrerHost: hostOf(textOf(raw.XDGReferrer))},
	} {
		if o.Host == "" {
			o.Host = found.Host
		}
		if o.ReferrerHost == "" {
			o.ReferrerHost = found.ReferrerHost
		}
	}
	if fields := strings.SplitN(textOf(raw.Quarantine), ";", 4); len(fields) >= 3 && o.App == "" {
		o.App = cleanName(fields[2])
	}
	return o
}

// parseZoneIdentifier reads section ZoneTransfer. It may be UTF-16 and have any
// line ends; what stands before its first section is not in it.
func parseZoneIdentifier(stream []byte) meetguard.Origin {
	var o meetguard.Origin
	inside := false
	text := strings.ReplaceAll(textOf(stream), "\r", "\n")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = equalFold(line, "[zonetransfer]")
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		if !inside {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "zoneid":
			o.Zone = zoneOf(strings.TrimSpace(value))
		case "hosturl":
			o.Host = hostOf(value)
		case "referrerurl":
			o.ReferrerHost = hostOf(value)
		case "lastwriterpackagefamilyname":
			o.App = cleanName(value)
		}
	}
	return o
}

// zoneOf is value if it is a URLZONE (0 to 4; administrators may add up to
// 10000), or "".
func zoneOf(value string) string {
	if value == "" || len(value) > 5 || strings.Trim(value, "0123456789") != "" {
		return ""
	}
	return strings.Clone(value)
}

// hostOf is the host of a URL of the network, or "". It is written by hand
// because a URL that net/url rejects has a host nevertheless.
func hostOf(address string) string {
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' })
	for {
		rest, ok := cutPrefixFold(address, "blob:")
		if !ok {
			rest, ok = cutPrefixFold(address, "filesystem:")
		}
		if !ok {
			break
		}
		address = rest
	}
	scheme, rest, ok := strings.Cut(address, ":")
	if !ok || !isNetworkScheme(scheme) {
		return ""
	}
	rest, ok = strings.CutPrefix(strings.ReplaceAll(rest[:min(len(rest), 4<<10)], `\`, "/"), "//")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return cleanHost(rest[strings.LastIndexByte(rest, '@')+1:])
}

func cutPrefixFold(s, lower string) (string, bool) {
	if len(s) < len(lower) || !equalFold(s[:len(lower)], lower) {
		return s, false
	}
	return s[len(lower):], true
}

// isNetworkScheme leaves out data:, file: and whatever else names no host of a
// network.
func isNetworkScheme(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "ftps", "sftp", "ws", "wss":
		return true
	}
	return false
}

// cleanHost drops the port and the last dot, and refuses what cannot be a host:
// that would put control characters, or a part of a path, into a report.
func cleanHost(host string) string {
	if inner, after, ok := strings.Cut(strings.TrimPrefix(host, "["), "]"); ok && strings.HasPrefix(host, "[") {
		address, err := netip.ParseAddr(inner)
		if err != nil || after != "" && after[0] != ':' {
			return ""
		}
		return address.WithZone("").String()
	}
	host, _, _ = strings.Cut(host, ":")
	if decoded, err := url.PathUnescape(host); err == nil {
		host = decoded
	}
	host = strings.ToLower(strings.TrimSuffix(dots.Replace(host), "."))
	if len(host) > 253 || !utf8.ValidString(host) || strings.ContainsFunc(host, notInHost) {
		return ""
	}
	return strings.Clone(host)
}

// dots are the signs of other scripts that browsers take for the dot between
// two labels (UTS 46).
var dots = strings.NewReplacer("。", ".", "．", ".", "｡", ".")

// notInHost tells what no host holds. Letters of every script are left: a
// lookalike may be written in them.
func notInHost(r rune) bool {
	if r < utf8.RuneSelf {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pd)
}
