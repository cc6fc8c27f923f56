// How scripts and decoys are wrapped in a Windows program. Who signed it, and
// what its version resource claims, is judged elsewhere.

rule MG_PE_DecoyAndExclusion
{
    meta:
        id = "MG-Y-0301"
        author = "meetguard"
        date = "2026-11-22"
        description = "The program carries the download link of a genuine meeting installer beside commands that blind Microsoft Defender or hide folders"
        reference = "The DFIR Report, Fake Zoom ends in BlackSuit ransomware, 2025-03-31"
        severity = "high"
        technique = "T1036.005"
        false_positives = "Set-up tools of administrators that install meeting clients and set Defender exclusions"
        family = "E,F,G"
    strings:
        $real1 = "zoom.us/client/" ascii wide nocase
        $real2 = "cdn.zoom.us/prod/" ascii wide nocase
        $real3 = "statics.teams.cdn.office.net/" ascii wide nocase
        $real4 = "teams.microsoft.com/downloads" ascii wide nocase
        $real5 = "binaries.webex.com/" ascii wide nocase
        $real6 = "akamaicdn.webex.com/client/" ascii wide nocase
        $off1 = "Add-MpPreference" ascii wide nocase
        $off2 = "DisableRealtimeMonitoring" ascii wide nocase
        $off3 = "Windows Defender\\Exclusions" ascii wide nocase
        $off4 = "attrib +s +h " ascii wide nocase
        $off5 = "attrib +h +s " ascii wide nocase
    condition:
        uint16(0) == 0x5A4D and any of ($real*) and any of ($off*)
}

rule MG_PE_SelfExtractorScript
{
    meta:
        id = "MG-Y-0302"
        author = "meetguard"
        date = "2026-11-22"
        description = "The program is a self-extracting archive that is set to start a script or a hidden PowerShell as soon as it is opened"
        reference = "7-Zip SFX configuration, WinRAR SFX comment and IExpress directives, as their makers document them"
        severity = "medium"
        technique = "T1204.002"
        false_positives = "Driver and patch packages of administrators"
        family = "generic"
    strings:
        $seven = ";!@Install@!UTF-8!"
        $seven_run = /(RunProgram|ExecuteFile|AutoInstall)="[^"\r\n]{0,200}(wscript|cscript|mshta|powershell|\.vbs|\.ps1|\.hta|\.bat|\.cmd)/ nocase
        $rar = "WinRAR SFX" ascii wide
        $rar_run = /\nSetup=[^\r\n]{0,200}(wscript|cscript|mshta|powershell|\.vbs|\.ps1|\.hta)/ nocase
        $rar_quiet = "\nSilent=1"
        $cab = "wextract.pdb"
        $cab_run = /(cmd(\.exe)? \/c [^\x00\r\n]{0,120}\.(bat|cmd|vbs|ps1)|powershell(\.exe)? [^\x00\r\n]{0,160}(bypass|hidden|-enc)|mshta(\.exe)? )/ nocase
    condition:
        uint16(0) == 0x5A4D and (($seven and $seven_run) or ($rar and $rar_run and $rar_quiet) or ($cab and $cab_run))
}

rule MG_PE_ScriptCompilerMeeting
{
    meta:
        id = "MG-Y-0303"
        author = "meetguard"
        date = "2026-11-22"
        description = "A script compiled into a program uses the name of a meeting client, which no maker of one does"
        reference = "AutoIt, PS2EXE and PyInstaller mark the programs that they make"
        severity = "medium"
        technique = "T1027.009"
        false_positives = "Home-made helpers that start or mute a meeting client"
        family = "D,F,G"
    strings:
        $autoit1 = "AU3!EA06"
        $autoit2 = "This is a third-party compiled AutoIt script" ascii wide
        $ps1 = "PS2EXE" ascii wide
        $ps2 = "PoshExeHostWinForms" ascii wide
        $py1 = "_MEIPASS2"
        $py2 = "PyInstaller: " 
        $py3 = "pyi-windows-manifest-filename"
        $brand1 = "Zoom Video Communications" ascii wide
        $brand2 = "Zoom Communications, Inc" ascii wide
        $brand3 = "Zoom Meetings" wide
        $brand4 = "Zoom Workplace" ascii wide
        $brand5 = "Microsoft Teams" wide
        $brand6 = "Google Meet" ascii wide
        $brand7 = "Cisco Webex" ascii wide
    condition:
        uint16(0) == 0x5A4D and any of ($autoit*, $ps*, $py*) and
        (any of ($brand*) or mg_name matches /^(zoom(us|installer|setup|_|-| |\.)|ms-?teams|teams[_ -]?(setup|installer)|webex|google ?meet)/)
}

rule MG_PE_ScriptCradle
{
    meta:
        id = "MG-Y-0304"
        author = "meetguard"
        date = "2026-11-22"
        description = "The installer holds a command that downloads something and runs it with a script interpreter out of sight"
        reference = "Microsoft, BATLOADER and Royal: DEV-0569 finds new ways to deliver ransomware, 2022-11"
        severity = "medium"
        technique = "T1059.001"
        false_positives = "Installers with a PowerShell step that fetches a prerequisite; tools that test security products"
        family = "D,G"
    strings:
        $nsis = "Nullsoft.NSIS.exehead" ascii wide
        $inno = "Inno Setup" ascii wide
        $advanced = "Advanced Installer" ascii wide
        $electron = "electron.app." ascii wide
        $go = "Go build ID: \""
        $run1 = /powershell(\.exe)?["']? [^\x00\r\n]{0,160}(downloadstring|downloadfile|invoke-webrequest|iwr |irm )[^\x00\r\n]{0,200}https?:/ nocase ascii wide
        $run2 = /mshta(\.exe)? {1,4}["']?https?:\/\// nocase ascii wide
        $run3 = /curl(\.exe)? [^\x00\r\n|]{0,200}https?:[^\x00\r\n|]{0,200}\| ?(cmd|powershell|bash|sh)\b/ nocase ascii wide
        $run4 = /cmd(\.exe)? \/c (start \/min )?powershell[^\x00\r\n]{0,160} -(e|en|enc|encodedcommand) [a-z0-9+\/=]{40}/ nocase ascii wide
    condition:
        uint16(0) == 0x5A4D and any of ($nsis, $inno, $advanced, $electron, $go) and any of ($run*)
}
