// Pages that make the reader paste a command, and shortcuts that hold one.

rule MG_Html_ClipboardCommand
{
    meta:
        id = "MG-Y-0601"
        author = "meetguard"
        date = "2026-11-22"
        description = "The page puts a hidden command into the clipboard and tells the reader to paste it into the Run window or a terminal"
        reference = "Sekoia, ClickFix tactic: the phantom meet, 2024-10"
        severity = "high"
        technique = "T1204.004"
        false_positives = "Exercises that teach about this trick"
        family = "A7,B,C"
    strings:
        $copy1 = "clipboard.writeText" nocase
        $copy2 = /execCommand\(["'`]copy/ nocase
        $copy3 = "clipboardData.setData" nocase
        $run1 = /["'`=]\s{0,4}(cmd(\.exe)? \/c )?mshta(\.exe)? {1,8}(https?:|vbscript:|javascript:)/ nocase
        $run2 = /["'`=]\s{0,4}(cmd(\.exe)? \/c (start )?(\/min )?)?powershell(\.exe)? [^"'`\n]{0,80}(-w(in(dowstyle)?)? +(h(idden)?|1)|-e(nc(odedcommand)?)? |iex|iwr|irm|invoke-)/ nocase
        $run3 = /["'`=]\s{0,4}(cmd(\.exe)? \/c )?curl(\.exe)? [^"'`\n]{1,300}(-o[^"'`\n]{1,160}&&|\| ?(cmd|powershell))/ nocase
        $run4 = /["'`=]\s{0,4}(echo [^"'`\n]{1,400}\| ?base64 -(d|D|-decode)[^"'`\n]{0,40}\| ?(ba|z)?sh)/ nocase
        $tell1 = /(win(dows)?( key)?|⊞)( icon| button| logo key)?(<\/[a-z]{1,8}>)?\s{0,3}\+\s{0,3}(<[a-z]{1,8}[^>]{0,40}>)?"?[rx]\b/ nocase
        $tell2 = /(ctrl|control|command|cmd|⌘)(<\/[a-z]{1,8}>)?\s{0,3}\+\s{0,3}(<[a-z]{1,8}[^>]{0,40}>)?"?v\b/ nocase
        $tell3 = /(command|cmd|⌘)(<\/[a-z]{1,8}>)?\s{0,3}\+\s{0,3}(<[a-z]{1,8}[^>]{0,40}>)?"?space\b/ nocase
    condition:
        any of ($copy*) and any of ($run*) and any of ($tell*)
}

rule MG_Html_MeetingFault
{
    meta:
        id = "MG-Y-0602"
        author = "meetguard"
        date = "2026-11-22"
        description = "A page that talks of a fault of the camera or microphone puts a command or a script download before the reader"
        reference = "Sekoia, ClickFix tactic: the phantom meet, 2024-10"
        severity = "medium"
        technique = "T1204.004"
        false_positives = "Help pages with copyable commands for sound problems"
        family = "A7,B,C"
    strings:
        $fault1 = /(microphone|headset|camera|webcam|audio|speaker)s? (access |device |driver |permission |connection )?(is |was |has been |are )?(not (working|detected|found|available)|blocked|fail(ed|ure)|error|problem|issue|fault|outdated|out of date|unavailable)/ nocase
        $fault2 = /(can'?t|cannot|unable to|could not|couldn'?t) (access|detect|use|find|connect( to)?) (your |the )?(microphone|camera|webcam|headset|audio|speakers)/ nocase
        $fault3 = /(audio|camera|microphone|video) (sdk|driver|extension)s? (is |are )?(required|missing|outdated|out of date|update)/ nocase
        $copy1 = "clipboard.writeText" nocase
        $copy2 = /execCommand\(["'`]copy/ nocase
        $give1 = /(curl|wget) [^"'`<\n]{1,300}\| ?(sudo )?(ba|z)?sh\b/ nocase
        $give2 = "mshta http" nocase
        $give3 = /powershell [^"'`<\n]{0,200}(iwr|irm|iex|invoke-webrequest|hidden|-enc)/ nocase
        $give4 = /curl [^"'`<\n]{1,300}(&&|&amp;&amp;|;) ?(chmod|bash|sh|zsh|unzip|powershell|wscript|osascript|nohup)\b/ nocase
    condition:
        any of ($fault*) and any of ($copy*) and any of ($give*)
}

rule MG_Shortcut_Cradle
{
    meta:
        id = "MG-Y-0603"
        author = "meetguard"
        date = "2026-11-22"
        description = "The shortcut starts an interpreter with a command that reaches the network, is encoded, or is pushed out of sight with blanks"
        reference = "Shell Link binary file format, MS-SHLLINK"
        severity = "high"
        technique = "T1204.002"
        false_positives = "Administrators' shortcuts that start a PowerShell one-liner from the network"
        family = "generic"
    strings:
        $tool1 = "mshta" wide nocase
        $tool2 = "powershell" wide nocase
        $tool3 = "cmd.exe" wide nocase
        $tool4 = "wscript" wide nocase
        $tool5 = "curl.exe" wide nocase
        $tool6 = "conhost" wide nocase
        $net1 = "http://" wide nocase
        $net2 = "https://" wide nocase
        $net3 = "DavWWWRoot" wide nocase
        $net4 = "@SSL" wide nocase
        $code1 = " -enc" wide nocase
        $code2 = "frombase64string" wide nocase
        $code3 = "invoke-expression" wide nocase
        $code4 = "downloadstring" wide nocase
        $blank = { 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 }
        $lines = { 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 0A 00 }
    condition:
        uint32be(0) == 0x4C000000 and uint32be(4) == 0x01140200 and
        any of ($tool*) and (any of ($net*) or any of ($code*) or $blank or $lines)
}
