package detect_test

import (
	"strings"
	"testing"

	"meetguard"
)

// fakes are names under which a program nobody signed claims a brand.
var fakes = map[string][]string{
	"zoom": {
		// as they are, with what browsers and versions add
		"Zoom.exe", "ZoomInstaller.exe", "ZoomInstallerFull.exe", "ZoomInstallerFull (1).exe", "zoom-setup.exe", "Zoom_5.17.11_x64.exe", "ZOOMSETUP.EXE", "zoom_meeting_update.exe",
		"Zoom Workplace.exe", "zoom-sdk-support.exe", "Install Zoom.exe", "zoomupdate-2.exe", "Zoom%20Setup.exe", "Zoom+Installer.exe", "Join Zoom Meeting.exe", "Zoom.us.exe",
		// digits and signs for letters
		"Z00mInstaller.exe", "Z00M.exe", "Zo0mSetup.exe", "zo0m_installer.exe", "ZO0M Setup.exe", "Z0OMSETUP.exe",
		// other scripts
		"Zооm_Setup.exe", "Ζoom Setup.exe", "Zοοm.exe", "Ꮓoom Setup.exe", "ꓜꓳꓳꓟ Setup.exe", "Zօօm Setup.exe", "Ｚｏｏｍ Setup.exe", "𝐙𝐨𝐨𝐦 Installer.exe", "𝖅𝖔𝖔𝖒.exe", "𝚉𝚘𝚘𝚖_setup.exe",
		"Ⓩⓞⓞⓜ Setup.exe", "🅉🄾🄾🄼 Setup.exe", "🆉🅾🅾🅼 Setup.exe", "🇿🇴🇴🇲 Setup.exe", "ᴢᴏᴏᴍ Setup.exe", "Z౦౦m Setup.exe", "Z๐๐m Setup.exe", "Z○○m Setup.exe", "Zøøm Setup.exe", "Ƶoom Setup.exe",
		// marks and characters that nobody sees
		"Zö̈om Setup.exe", "Z̶o̶o̶m̶ Setup.exe", "Zo\u200bom Setup.exe", "Z\u200do\u2060o\ufeffm.exe", "Zo\u00adom Setup.exe", "Zo\u034fom Setup.exe", "Zoom\u3164Setup.exe", "Zoom\u2800Setup.exe",
		"Zo\u202com Setup.exe", "Zoom\ufe0f Setup.exe",
		// extensions
		"Zoom_Update.pdf.exe", "Zoom.pdf.exe", "Zoom.docx                              .exe", "Zoom Setup.exe.", "Zoom.exe. .", "Zoom Meeting.mp4.scr", "ZoomSetup\u202efdp.exe", "Zoom Setup\u202excod.exe", "Zoom.txt.exe.exe",
		// case and spacing
		"zOOmSetup.exe", "zOoM.exe", "Z o o m Setup.exe", "Z.O.O.M.exe", "Z_o_o_m_installer.exe", "Z-o-o-m.exe",
		// letters that run together
		"Zoorn Setup.exe", "ZoornInstaller.exe",
		// what the call is about
		"Zoom_Invite.exe", "ZoomInvite.exe", "Zoom-Meeting-Invite.exe", "Zoom_Interview_Q4.exe", "Zoom Session.exe",
	},
	"msteams": {
		"MSTeamsSetup.exe", "Teams.exe", "TeamsSetup_c_w_.exe", "Microsoft Teams Installer.exe", "microsoft-teams_V1.exe", "ms-teams.exe", "Te4ms Setup.exe", "T3amsSetup.exe", "T3AMS_Setup.exe", "7eams Setup.exe",
		"Tеаms Update.exe", "Тeams_Setup.exe", "T e a m s Setup.exe", "T.E.A.M.S. Installer.exe", "TeAmS.exe", "MsTeAmSsEtUp.exe", "Tearns Setup.exe", "Micros0ft Teams.exe", "Teams-Aktualisierung.exe", "Tᴇᴀᴍs Setup.exe", "MSTeams.pdf.exe",
	},
	"webex":      {"Webex.exe", "CiscoWebexSetup.exe", "VVebex Setup.exe", "vvebex.exe", "W3bex.exe", "Wеbex.exe", "WebEx-Meetings (2).exe", "webexapp.exe"},
	"slack":      {"SlackSetup.exe", "5lack Setup.exe", "SIack Setup.exe", "$lack Setup.exe", "Sl@ck Setup.exe", "Slаck.exe", "S1ack Installer.exe"},
	"googlemeet": {"GoogleMeetSetup.exe", "Google Meet.exe", "GoogIe Meet.exe", "G00gle Meet.exe", "googiemeet.exe"},
	"skype":      {"SkypeSetup.exe", "5kype.exe", "Sкype.exe", "SKYPE_UPDATE.exe"},
	"discord":    {"DiscordSetup.exe", "D1scord.exe", "dIsCoRd.exe", "Dis\u200bcord.exe"},
	"telegram":   {"TelegramDesktop.exe", "Te1egram.exe", "TeIegram Setup.exe", "tsetup.4.9.exe"},
	"whatsapp":   {"WhatsApp.exe", "WhatsApp Installer (1).exe", "Wh4tsApp.exe", "VVhatsApp.exe"},
}

func TestFakeNames(t *testing.T) {
	j := judge(t)
	n := 0
	for brand, names := range fakes {
		for _, name := range names {
			n++
			v := j.Judge(file(name, meetguard.FormatPE, none))
			if v.Level != meetguard.Malicious || v.Brand != brand {
				t.Errorf("%q: %s, brand %q; want malicious, %s", name, v.Level, v.Brand, brand)
			}
			if v := j.Judge(file(name, meetguard.FormatPE, unknown)); hasRule(v, "MG-BRAND-UNSIGNED") {
				t.Errorf("%q: an unknown signature accuses", name)
			}
		}
	}
	if n < 120 {
		t.Errorf("%d names", n)
	}
}

func hasRule(v meetguard.Verdict, id string) bool {
	for _, f := range v.Findings {
		if f.Rule == id {
			return true
		}
	}
	return false
}

// neighbours are names of other programs that nobody signed.
var neighbours = []string{
	"ZoomIt.exe", "ZoomIt64.exe", "zoomit64a.exe", "ZoomInfoContactContributor.exe", "ZoomPlayer.exe", "ZoomPlayerMAX_Setup.exe", "ZoomText.exe", "zoom-out.exe", "zoom-in.exe", "zoomin.exe", "ZoomBrowserEX.exe", "zoomify.exe",
	"ZOOM_H6_Driver.exe", "ZoomGuitarLab.exe", "PanZoom.exe", "d3-zoom.exe", "xzoom.exe", "kzoom.exe", "digital-zoom.exe", "auto zoom tool.exe", "zoomlevel.exe", "DesktopZoom.exe", "BigZoomer.exe", "vrooom.exe", "boom.exe", "room.exe", "zoo.exe", "Zoom Lens Calculator.exe",
	"TeamViewer.exe", "TeamViewer_Setup_x64.exe", "TeamViewerQS.exe", "TeamSpeak3-Client-win64-3.6.2.exe", "teamserver.exe", "teamcity-agent.exe", "SteamSetup.exe", "steam.exe", "steamservice.exe", "streams.exe", "streams64.exe", "beams.exe", "dreams.exe", "teams-export.exe", "seams.exe", "team5.exe", "team5_setup.exe", "TeamDrive.exe", "GTeams.exe", "tearn.exe",
	"meetup.exe", "meetups-export.exe", "MeetingBar.exe", "meeting-notes.exe", "meetecho.exe", "meeting.exe", "meter.exe", "meeting-room-display.exe",
	"webextension-tool.exe", "webext-run.exe", "web-ext.exe", "webexport.exe", "cobweb.exe", "webexplorer.exe", "webex-node-sdk-sample.exe",
	"slackware-installer.exe", "slacker.exe", "slackdump.exe", "black.exe", "stack.exe", "SlackBuild.exe", "slackcat.exe", "5stack.exe", "s1.exe", "slick.exe",
	"goto.exe.config.exe", "gotools.exe", "gotosocial.exe", "goto-line.exe", "gtags.exe",
	"discordance.exe", "discord-bot.exe", "DiscordChatExporter.exe", "discordrpc.exe", "cord.exe", "BetterDiscord.exe",
	"telegram-bot.exe", "telegram-cli.exe", "telegraph.exe", "telegraf.exe", "telemetry.exe",
	"signalr.exe", "SignalRGB.exe", "signal-generator.exe", "libsignal.exe", "WhatsAppViewer.exe", "whatsapp-bot.exe", "skypelogview.exe", "skyper.exe", "skylark.exe", "starlark.exe",
	"chimera.exe", "windchime.exe", "jitsi-videobridge.exe", "8x8-board.exe",
	"setup.exe", "installer.exe", "update.exe", "h264.exe", "mp4box.exe", "x264.exe", "7z.exe", "7zFM.exe", "z80.exe", "zsh.exe", "oom.exe", "a.out.exe", "T1-teams-report.exe",
	"modern.exe", "kernel.exe", "learn.exe", "vvvv.exe", "return.exe", "cavern.exe", "z.o.exe", "o-o.exe", "a b c d.exe", "I.exe", "Ion.exe", "İstanbul.exe", "Москва.exe", "会议.exe", "Ωmega.exe",
}

func TestHonestNeighbours(t *testing.T) {
	j := judge(t)
	for _, name := range neighbours {
		for what, facts := range map[string]meetguard.Facts{"unsigned": file(name, meetguard.FormatPE, none), "signed by another": file(name, meetguard.FormatPE, firm)} {
			if v := j.Judge(facts); v.Level != meetguard.Clean {
				t.Errorf("%q, %s: %s %v", name, what, v.Level, v.Findings)
			}
		}
	}
	for _, name := range []string{"zoom-out.svg", "teams.d.ts", "zoom.js", "slack.md", "Zoom meeting notes.txt", "webex.csv", "discord.json", "zoom.png"} {
		if v := j.Judge(file(name, meetguard.FormatOther, unknown)); v.Level != meetguard.Clean {
			t.Errorf("%q: %s %v", name, v.Level, v.Findings)
		}
	}
	if len(neighbours) < 100 {
		t.Errorf("%d names", len(neighbours))
	}
}

// TestPlacesOfClaims: where a claim stands decides what it is worth.
func TestPlacesOfClaims(t *testing.T) {
	j := judge(t)
	pe, link, page := meetguard.FormatPE, meetguard.FormatShortcut, meetguard.FormatHTML
	icon := named(meetguard.ClaimIcon, "Zoom logo")
	krisp := signed(meetguard.SignatureValid, "Krisp Technologies, Inc.")
	for _, tc := range []struct {
		name  string
		facts meetguard.Facts
		level meetguard.Level
		rule  string
	}{
		{"manifest", file("a.exe", pe, none, named(meetguard.ClaimManifest, "Zoom Meetings")), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"manifest of an installer kit", file("a.exe", pe, none, named(meetguard.ClaimManifest, "Nullsoft.NSIS.exehead")), meetguard.Clean, ""},
		{"a bare name under the logo", file("setup.exe", pe, none, icon), meetguard.Malicious, "MG-BRAND-UNSIGNED"},
		{"an invitation under the logo", file("Interview_Invitation_2.exe", pe, firm, icon), meetguard.Malicious, "MG-BRAND-SIGNER"},
		{"an add-on under the logo", file("MuteBuddy.exe", pe, none, icon, named(meetguard.ClaimProductName, "Mute Buddy")), meetguard.Clean, "MG-BRAND-ICON"},
		{"the brand's own under the logo", file("setup.exe", pe, zoom, icon), meetguard.Clean, ""},
		{"a signature nobody read under the logo", file("setup.exe", pe, unknown, icon), meetguard.Clean, ""},
		{"a helper under the logo", file("Krisp.exe", pe, krisp, icon), meetguard.Clean, "MG-BRAND-ICON"},
		{"the logo of a brand that is not there", file("setup.exe", pe, none, named(meetguard.ClaimIcon, "Acme logo")), meetguard.Clean, ""},
		{"a disk image by its volume", file("a.dmg", meetguard.FormatDMG, unknown, named(meetguard.ClaimVolume, "Google Meet")), meetguard.Malicious, "MG-BRAND-NEVER-NATIVE"},
		{"a package by its title", file("a.pkg", meetguard.FormatPKG, unknown, named(meetguard.ClaimPKGTitle, "Google Meet Installer")), meetguard.Malicious, "MG-BRAND-NEVER-NATIVE"},
		{"a page about Zoom", file("a.html", page, unknown, named(meetguard.ClaimTitle, "Zoom")), meetguard.Clean, ""},
		{"an invitation to Zoom", file("a.ics", meetguard.FormatICS, unknown, named(meetguard.ClaimSubject, "Zoom Meeting")), meetguard.Clean, ""},
		{"a shortcut with Zoom's icon that starts a shell", file("Meeting.lnk", link, unknown, named(meetguard.ClaimTarget, "powershell.exe"), named(meetguard.ClaimShortcutIcon, "Zoom.exe")), meetguard.Suspicious, "MG-LINK-BRAND-SHELL"},
		{"a shortcut that says so", file("a.lnk", link, unknown, named(meetguard.ClaimTarget, "mshta.exe"), named(meetguard.ClaimShortcut, "Join Zoom Meeting")), meetguard.Suspicious, "MG-LINK-BRAND-SHELL"},
		{"Zoom's own shortcut", file("Zoom.lnk", link, unknown, named(meetguard.ClaimTarget, "Zoom.exe"), named(meetguard.ClaimShortcutIcon, "Zoom.exe"), named(meetguard.ClaimShortcut, "Zoom UMX")), meetguard.Clean, ""},
		{"a desktop entry", file("us.zoom.Zoom.desktop", link, unknown, named(meetguard.ClaimTarget, "flatpak"), named(meetguard.ClaimShortcut, "Zoom"), named(meetguard.ClaimShortcutIcon, "us.zoom.Zoom")), meetguard.Clean, ""},
		{"a shell's shortcut", file("Command Prompt.lnk", link, unknown, named(meetguard.ClaimTarget, "cmd.exe"), named(meetguard.ClaimShortcutIcon, "cmd.exe")), meetguard.Clean, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { check(t, j.Judge(tc.facts), tc.level, tc.rule) })
	}
	v := j.Judge(file("setup.exe", pe, none, icon))
	if len(v.Findings) == 0 || !strings.Contains(v.Findings[0].Evidence, "its icon is the logo") {
		t.Errorf("the evidence does not speak of the icon: %v", v.Findings)
	}
}

func FuzzNames(f *testing.F) {
	for _, names := range fakes {
		for _, name := range names {
			f.Add(name)
		}
	}
	j := judge(f)
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 4096 {
			return
		}
		v := j.Judge(file(name, meetguard.FormatPE, none))
		for _, finding := range v.Findings {
			if strings.ContainsAny(finding.Evidence, "\n\r\x1b\u202e") {
				t.Errorf("%q", finding.Evidence)
			}
		}
	})
}

// TestOddExtensions: the lower case of some letters and of broken text has
// another length.
func TestOddExtensions(t *testing.T) {
	j := judge(t)
	for _, name := range []string{"Zo.\xbfm\xceexe", "Zoom.\u212aey.exe", "a.\u0130\u0130", ".", "...", "", "a. "} {
		j.Judge(file(name, meetguard.FormatPE, none)) // must return
	}
}
