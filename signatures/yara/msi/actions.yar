// Windows Installer packages. The string pool, and with it the command lines
// of the custom actions, stands uncompressed in the file.

rule MG_MSI_ScriptCradle
{
    meta:
        id = "MG-Y-0501"
        author = "meetguard"
        date = "2026-11-22"
        description = "An action of the installer package downloads something with a script interpreter or blinds Microsoft Defender"
        reference = "Microsoft, BATLOADER and Royal: DEV-0569 finds new ways to deliver ransomware, 2022-11"
        severity = "high"
        technique = "T1218.007"
        false_positives = "Packages of administrators that fetch a prerequisite with PowerShell"
        family = "G"
    strings:
        $get1 = /powershell[^\x00]{0,300}(downloadstring|downloadfile|invoke-webrequest|iwr |irm )/ nocase
        $get2 = /mshta(\.exe)?["']? {1,4}["']?https?:\/\// nocase
        $get3 = /certutil(\.exe)?["']? [^\x00\n]{0,80}-urlcache/ nocase
        $get4 = /bitsadmin(\.exe)?["']? [^\x00\n]{0,80}\/transfer/ nocase
        $get5 = /powershell[^\x00\n]{0,200} -(e|en|enc|encodedcommand) {1,3}[a-z0-9+\/=]{60}/ nocase
        $off1 = "Add-MpPreference -Exclusion" nocase
        $off2 = "DisableRealtimeMonitoring" nocase
        $table = "CustomAction"
    condition:
        uint32be(0) == 0xD0CF11E0 and uint32be(4) == 0xA1B11AE1 and $table and (any of ($get*) or any of ($off*))
}

rule MG_MSI_MeetingScriptAction
{
    meta:
        id = "MG-Y-0502"
        author = "meetguard"
        date = "2026-11-22"
        description = "An installer package that names a meeting client runs a script of its own that reaches the network or a temporary program"
        reference = "Microsoft, BATLOADER and Royal: DEV-0569 finds new ways to deliver ransomware, 2022-11"
        severity = "medium"
        technique = "T1218.007"
        false_positives = "Packages that administrators have wrapped around a meeting client"
        family = "G"
    strings:
        $brand1 = /Zoom (Meetings?|Workplace|Video|Client|Rooms|Installer|Communications)/
        $brand2 = "Microsoft Teams"
        $brand3 = "Teams Machine-Wide"
        $brand4 = "Webex"
        $brand5 = "Google Meet"
        $brand6 = "GoToMeeting"
        $script1 = "WScript.Shell" nocase
        $script2 = "Shell.Application" nocase
        $script3 = /powershell(\.exe)?["']? +-/ nocase
        $reach1 = "MSXML2." nocase
        $reach2 = "WinHttp.WinHttpRequest" nocase
        $reach3 = "ADODB.Stream" nocase
        $reach4 = /-(w|windowstyle) +hidden/ nocase
        $reach5 = "%TEMP%\\" nocase
        $table = "CustomAction"
    condition:
        uint32be(0) == 0xD0CF11E0 and uint32be(4) == 0xA1B11AE1 and $table and any of ($brand*) and any of ($script*) and any of ($reach*)
}
