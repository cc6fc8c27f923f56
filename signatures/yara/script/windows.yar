// Windows lures that are text: batch, PowerShell, VBScript, HTA.

rule MG_Batch_ArchiveToScriptHost
{
    meta:
        id = "MG-Y-0121"
        author = "meetguard"
        date = "2026-11-22"
        description = "One command downloads an archive into the temporary folder, unpacks it and starts a script out of it"
        reference = "dmpdump, Contagious Interview: camera driver fix scripts, 2024-12"
        severity = "high"
        technique = "T1059.005"
        false_positives = "Bootstrap scripts of administrators that start a VBScript out of a downloaded archive"
        family = "B"
    strings:
        $place = /(%(temp|tmp|appdata|localappdata|public)%|\$env:(temp|tmp|appdata|public))/ nocase
        $open1 = "expand-archive" nocase
        $open2 = /tar(\.exe)? -x/ nocase
        $open3 = "zipfile]::extracttodirectory" nocase
        $host1 = "wscript" nocase
        $host2 = "cscript" nocase
        $host3 = "mshta" nocase
        $file = /\.(vbs|vbe|js|jse|wsf|hta)\b/ nocase
    condition:
        mg_fetches > 0 and $place and any of ($open*) and any of ($host*) and $file
}

rule MG_Windows_ExclusionAndFetch
{
    meta:
        id = "MG-Y-0122"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script takes itself out of Microsoft Defender's sight and runs something that it downloads"
        reference = "The DFIR Report, Fake Zoom ends in BlackSuit ransomware, 2025-03-31"
        severity = "medium"
        technique = "T1562.001"
        false_positives = "Set-up scripts of developers and game servers that exclude their own folder"
        family = "E,G"
    strings:
        $off1 = "Add-MpPreference" nocase
        $off2 = "DisableRealtimeMonitoring" nocase
        $off3 = "Windows Defender\\Exclusions" nocase
        $off4 = "DisableAntiSpyware" nocase
        $get1 = "invoke-webrequest" nocase
        $get2 = "downloadfile(" nocase
        $get3 = "downloadstring(" nocase
        $get4 = "start-bitstransfer" nocase
        $get5 = "curl" nocase
        $get6 = "msxml2.xmlhttp" nocase
        $get7 = "bitsadmin" nocase
        $get8 = "iwr " nocase
        $start1 = "start-process" nocase
        $start2 = "invoke-expression" nocase
        $start3 = "msiexec" nocase
        $start4 = "rundll32" nocase
        $start5 = "regsvr32" nocase
        $start6 = ".run " nocase
    condition:
        mg_fetches > 0 and any of ($off*) and any of ($get*) and (mg_fetch_run or any of ($start*))
}

rule MG_Windows_DefenderOffHidden
{
    meta:
        id = "MG-Y-0123"
        author = "meetguard"
        date = "2026-11-22"
        description = "Out of the user's sight the script blinds Microsoft Defender for a folder and runs a download"
        reference = "The DFIR Report, Fake Zoom ends in BlackSuit ransomware, 2025-03-31"
        severity = "high"
        technique = "T1562.001"
        false_positives = "None known"
        family = "E,G"
    strings:
        $off1 = "Add-MpPreference" nocase
        $off2 = "DisableRealtimeMonitoring" nocase
        $off3 = "Windows Defender\\Exclusions" nocase
        $hide1 = /-w(in(dowstyle)?)? +["']?(hidden|1)\b/ nocase
        $hide2 = "attrib +s +h" nocase
        $hide3 = "attrib +h +s" nocase
        $place1 = "%temp%" nocase
        $place2 = "%appdata%" nocase
        $place3 = "$env:temp" nocase
        $place4 = "$env:appdata" nocase
        $place5 = "\\users\\public" nocase
        $place6 = "%programdata%" nocase
        $place7 = "$env:programdata" nocase
        $place8 = "%localappdata%" nocase
        $place9 = "$env:localappdata" nocase
    condition:
        any of ($off*) and (any of ($hide*) or mg_traits contains " hidden-window ") and any of ($place*) and mg_fetch_run
}

rule MG_Windows_RemoteHta
{
    meta:
        id = "MG-Y-0124"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script lets mshta run a page from the Internet"
        reference = "Sekoia, ClickFix tactic: the phantom meet, 2024-10"
        severity = "high"
        technique = "T1218.005"
        false_positives = "Test suites of security products"
        family = "A8,C"
    strings:
        $hta1 = /\bmshta(\.exe)?["']?,? {1,8}["']?https?:\/\// nocase
        $hta2 = /\bmshta(\.exe)?["']? {1,8}["']?(vbscript|javascript):[^\n]{0,400}(http|script:|powershell|bitsadmin|certutil|cmd(\.exe)? {0,2}\/|\\\\)/ nocase
        $hta3 = /start-process[^\n]{0,40}mshta[^\n]{0,60}https?:\/\// nocase
    condition:
        mg_size < 1048576 and any of them and mg_language != "python" and mg_language != "shell"
}
