package specimens

import (
	"fmt"
)

// debOf makes a Debian package. A shell script among the entries is what dpkg
// runs after the installation; others lie in /opt.
func debOf(list []entry, name string) []byte {
	control := []entry{{"./control", []byte(lines("Package: "+name, "Version: 1.0", "Architecture: all", "Maintainer: Support <support@support.invalid>", "Description: update of the meeting client")), 0o644}}
	var data []entry
	for _, e := range list {
		if isShellText(e.data) {
			control = append(control, entry{"./postinst", e.data, 0o755})
			continue
		}
		data = append(data, entry{"./opt/" + name + "/" + e.name, e.data, e.mode})
	}
	out := []byte("!<arch>\n")
	out = arMember(out, "debian-binary", []byte("2.0\n"))
	out = arMember(out, "control.tar.gz", gz(tarOf(control), ""))
	return arMember(out, "data.tar.xz", xzOf(tarOf(data)))
}

func isShellText(data []byte) bool {
	return len(data) > 3 && string(data[:3]) == "#!/"
}

func arMember(out []byte, name string, data []byte) []byte {
	out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o100644, len(data))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, '\n')
	}
	return out
}
