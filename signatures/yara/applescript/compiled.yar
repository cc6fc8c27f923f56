// Compiled AppleScript, as its raw bytes. What was read in 46 public compiled
// scripts (version 1.101.10):
//
//   - texts stand as UTF-16BE. A "wide" string (UTF-16LE) matches there too, but
//     only with another character below U+0100 behind it: so words that may end
//     a text lack their last letter here, or are spelled out in hexadecimal;
//   - "do shell script" is the event sysoexec, "run script" is sysodsct;
//   - a record is  0d ID(2) KIND(2) TAG(1) …; a blank line is a record with the
//     tag 'l' that stands for nothing, one every 42 bytes. Real scripts had at
//     most 13 of them in a row;
//   - "a" & "b" & … is one record with the tag 'b' inside the other, 16 bytes
//     each, then the texts one by one; a text of one character is 2 bytes long.

rule MG_CompiledScript_ShellFetch
{
    meta:
        id = "MG-Y-0201"
        author = "meetguard"
        date = "2026-11-22"
        description = "The compiled AppleScript downloads something with a shell command"
        reference = "P. Berba, MacOS infection vector: using AppleScripts to bypass Gatekeeper, 2025-11-11"
        severity = "medium"
        technique = "T1059.002"
        false_positives = "Scripts that call a web service, such as URL shorteners"
        family = "A1,A3"
    strings:
        $magic = "FasdUAS "
        $shell = "sysoexec"
        $get1 = "curl " wide nocase
        $get2 = "wget " wide nocase
        $get3 = "nscurl" wide nocase
        $get4 = "curl " nocase
        $get5 = "/bin/curl" wide nocase
    condition:
        $magic at 0 and $shell and any of ($get*)
}

rule MG_CompiledScript_FetchToInterpreter
{
    meta:
        id = "MG-Y-0202"
        author = "meetguard"
        date = "2026-11-22"
        description = "The compiled AppleScript runs what it downloads"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "high"
        technique = "T1059.002"
        false_positives = "Self-updating scripts"
        family = "A1,A3,A6"
    strings:
        $magic = "FasdUAS "
        $shell = "sysoexec"
        $run = "sysodsct"
        $load = "sysoload"
        $get1 = "curl " wide nocase
        $get2 = "nscurl" wide nocase
        $get3 = "wget " wide nocase
        $get4 = "/bin/curl" wide nocase
        $pipe1 = { 00 7C 00 20 00 6F 00 73 00 61 00 73 00 63 00 72 00 69 00 70 00 74 } // | osascript
        $pipe2 = { 00 7C 00 6F 00 73 00 61 00 73 00 63 00 72 00 69 00 70 00 74 } // |osascript
        $pipe3 = { 00 7C 00 20 00 2F 00 75 00 73 00 72 00 2F 00 62 00 69 00 6E 00 2F ( 00 6F 00 73 00 61 | 00 70 00 79 00 74 | 00 70 00 65 00 72 ) } // | /usr/bin/osascript, python, perl
        $pipe4 = { 00 7C 00 20 00 62 00 61 00 73 00 68 } // | bash
        $pipe5 = { 00 7C 00 62 00 61 00 73 00 68 } // |bash
        $pipe6 = { 00 7C 00 20 00 7A 00 73 00 68 } // | zsh
        $pipe7 = { 00 7C 00 7A 00 73 00 68 } // |zsh
        $pipe8 = { 00 7C 00 20 00 73 00 68 ( 00 20 | 00 22 | 00 3B | 00 26 | 00 0A | 00 0D | 01 | 02 | 0D | 0E | 0F ) } // | sh
        $pipe9 = { 00 7C 00 73 00 68 ( 00 20 | 00 22 | 00 3B | 00 26 | 00 0A | 00 0D | 01 | 02 | 0D | 0E | 0F ) } // |sh
        $pipe10 = { 00 7C 00 20 00 2F 00 62 00 69 00 6E 00 2F ( 00 62 00 61 | 00 7A 00 73 | 00 73 00 68 ) } // | /bin/bash, zsh, sh
        $pipe11 = { 00 7C 00 20 00 70 00 79 00 74 00 68 00 6F 00 6E } // | python
        $start1 = "chmod +x" wide nocase
        $start2 = "osacompile" wide nocase
        $start3 = "nohup " wide nocase
        $start4 = "osascript /" wide nocase
        $place1 = "/tmp/" wide
        $place2 = "/Users/Shared/" wide
    condition:
        $magic at 0 and any of ($get*) and
        ($run or ($shell and (any of ($pipe*) or (any of ($start*) and any of ($place*)) or (#load > 0 and any of ($place*)))))
}

rule MG_CompiledScript_Padding
{
    meta:
        id = "MG-Y-0203"
        author = "meetguard"
        date = "2026-11-22"
        description = "The compiled AppleScript hides the code that it runs below a screenful of blank lines"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "high"
        technique = "T1027.016"
        false_positives = "None in 46 public compiled scripts, whose longest run is 13 lines"
        family = "A1,A4,A6"
    strings:
        $magic = "FasdUAS "
        $shell = "sysoexec"
        $run = "sysodsct"
        $blank = { 0D ?? ?? 00 03 6C 00 02 00 00 00 00 }
    condition:
        $magic at 0 and ($shell or $run) and
        ((mg_code_after and mg_blank_run >= 40) or
         (#blank >= 40 and for any i in (1..#blank - 39) : (@blank[i + 39] - @blank[i] <= 39 * 42)))
}

rule MG_CompiledScript_SplitStrings
{
    meta:
        id = "MG-Y-0204"
        author = "meetguard"
        date = "2026-11-22"
        description = "The compiled AppleScript spells its commands out of single characters and then runs them"
        reference = "P. Berba, MacOS infection vector: using AppleScripts to bypass Gatekeeper, 2025-11-11"
        severity = "high"
        technique = "T1027.010"
        false_positives = "None in 46 public compiled scripts"
        family = "A2,A3"
    strings:
        $magic = "FasdUAS "
        $shell = "sysoexec"
        $run = "sysodsct"
        $join = { 0D ?? ?? 00 02 62 00 00 ?? ?? ?? ?? ?? ?? ?? ?? 0D }
        $char = { 00 01 6D 00 00 ?? ?? ?? ?? ?? ?? 0E ?? ?? 00 01 B1 ?? ?? 11 ?? ?? 00 02 00 }
    condition:
        $magic at 0 and ($shell or $run) and #char >= 12 and #join >= 12 and
        for any i in (1..#join - 11) : (@join[i + 11] - @join[i] <= 11 * 16)
}

rule MG_CompiledScript_MeetingRepair
{
    meta:
        id = "MG-Y-0205"
        author = "meetguard"
        date = "2026-11-22"
        description = "The compiled AppleScript talks of repairing or updating a meeting tool and runs shell commands"
        reference = "Field Effect, Zoom & doom: BlueNoroff call opens the door, 2025-06"
        severity = "high"
        technique = "T1204.002"
        false_positives = "Administrators' scripts that update meeting software"
        family = "A"
    strings:
        $magic = "FasdUAS "
        $shell = "sysoexec"
        $run = "sysodsct"
        $brand1 = "zoom" wide ascii nocase
        $brand2 = "microsoft teams" wide ascii nocase
        $brand3 = "msteams" wide ascii nocase
        $brand4 = "google meet" wide ascii nocase
        $brand5 = "webex" wide ascii nocase
        $why1 = " sdk " wide ascii nocase
        $why2 = "audio drive" wide ascii nocase
        $why3 = "audio repai" wide ascii nocase
        $why4 = "camera drive" wide ascii nocase
        $why5 = "microphone issu" wide ascii nocase
        $why6 = "out of dat" wide ascii nocase
        $why7 = "outdate" wide ascii nocase
        $why8 = "deprecate" wide ascii nocase
        $why9 = "sdk updat" wide ascii nocase
        $get1 = "curl" wide nocase
        $get2 = "softwareupdate" wide nocase
    condition:
        $magic at 0 and ($shell or $run) and any of ($brand*) and any of ($why*) and any of ($get*)
}
