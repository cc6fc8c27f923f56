package detect

import "testing"

func TestPretextName(t *testing.T) {
	for name, want := range map[string]bool{
		"camera-fix.sh": true, "AudioFix.command": true, "zoomsdkupdate": true, "webcam_driver.sh": true, "meeting-sdk-update.scpt": true, "fixmic.ps1": true, "driver-update.vbs": true, "codec_repair.js": true,
		"micromamba-install.sh": false, "camunda-install.sh": false, "campus-installer": false, "printer-driver.sh": false, "install-driver.sh": false, "install-sdk.sh": false, "displaylink-driver-6.1.run": false, "audiobookshelf-install.sh": false, "update.sh": false,
	} {
		if got := pretextName(name); got != want {
			t.Errorf("pretextName(%q) = %t", name, got)
		}
	}
}

func TestProgramNames(t *testing.T) {
	for exe, want := range map[string]string{
		"/usr/bin/python3.12": "python3", "/usr/bin/perl5.36.0": "perl", `C:\Tools\node22.exe`: "node", "/usr/bin/bash": "bash", "/usr/bin/x11": "x11", `C:\Windows\System32\rundll32.exe`: "rundll32",
	} {
		if got := program(exe); got != want {
			t.Errorf("program(%q) = %q, want %q", exe, got, want)
		}
	}
}
