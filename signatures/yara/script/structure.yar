// How a lure hides what it does from the person who opens it. These rules know
// no brand. They are matched on normalised text: the padding itself is folded
// away, and what it measured stands in the external variables.

rule MG_Script_PaddingThenCode
{
    meta:
        id = "MG-Y-0101"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script hides the code that it runs below a screenful of blank lines"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "high"
        technique = "T1027.016"
        false_positives = "None in 3,573 public and system scripts; generated scripts with large cut-out parts would match"
        family = "A1,A2,A4,A6"
    strings:
        $shell = "do shell script" nocase
        $run = "run script" nocase
        $load = "load script" nocase
        $open = "open location" nocase
    condition:
        mg_code_after and mg_blank_run >= 40 and
        (mg_fetch_run or (mg_language startswith "applescript" and any of them))
}

rule MG_Script_CharConcat
{
    meta:
        id = "MG-Y-0102"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script spells its commands out of single characters and then runs them"
        reference = "P. Berba, MacOS infection vector: using AppleScripts to bypass Gatekeeper, 2025-11-11"
        severity = "high"
        technique = "T1027.010"
        false_positives = "Obfuscated licence checks of commercial scripts"
        family = "A2,A3"
    strings:
        $mac1 = "do shell script" nocase
        $mac2 = "run script" nocase
        $mac3 = "load script" nocase
        $win1 = "wscript.shell" nocase
        $win2 = "shell.application" nocase
        $win3 = "invoke-expression" nocase
        $win4 = "powershell" nocase
        $win5 = "mshta" nocase
    condition:
        (mg_language startswith "applescript" and mg_concat >= 8 and any of ($mac*)) or
        (mg_language matches /^(powershell|batch|vbscript|jscript|hta|wsf)$/ and mg_concat >= 12 and mg_fetches > 0 and any of ($win*))
}

rule MG_AppleScript_FetchToInterpreter
{
    meta:
        id = "MG-Y-0103"
        author = "meetguard"
        date = "2026-11-22"
        description = "The AppleScript hands what it downloads straight to another interpreter"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "high"
        technique = "T1059.002"
        false_positives = "Installers of developer tools written as AppleScript that pipe a download into a shell"
        family = "A1,A3,A5,A6"
    strings:
        $shell = "do shell script" nocase
        $nest1 = /run script[ (]{1,4}do shell script[^\n]{1,80}(curl|nscurl|wget)\b/ nocase
        $nest2 = /eval "?\$\((curl|wget|nscurl) / nocase
        $quiet = /\/dev\/null[^\n]{0,60}&/
    condition:
        mg_language startswith "applescript" and $shell and
        (mg_cradles matches />pipe>(osascript|python|perl|ruby)/ or any of ($nest*) or
         (mg_cradles matches />pipe>(ba|z|da)?sh/ and ($quiet or mg_cradles contains "!insecure" or mg_pretexts > 0 or mg_blank_run >= 20 or mg_concat >= 4)) or
         (mg_fetches > 0 and mg_traits contains " run-script-of-result "))
}

rule MG_AppleScript_CompileAndLoad
{
    meta:
        id = "MG-Y-0104"
        author = "meetguard"
        date = "2026-11-22"
        description = "The AppleScript downloads a second script, compiles it and loads it into itself"
        reference = "P. Berba, MacOS infection vector: using AppleScripts to bypass Gatekeeper, 2025-11-11"
        severity = "high"
        technique = "T1105"
        false_positives = "Self-updating script libraries"
        family = "A2"
    strings:
        $compile = "osacompile" nocase
        $load = "load script" nocase
        $run = "run script" nocase
        $get1 = "curl " nocase
        $get2 = "nscurl " nocase
        $get3 = "wget " nocase
        $temp1 = "/tmp/" nocase
        $temp2 = "TMPDIR"
        $temp3 = "temporary items" nocase
    condition:
        mg_language startswith "applescript" and $compile and ($load or $run) and any of ($get*) and any of ($temp*)
}

rule MG_AppleScript_DecoyThenFetch
{
    meta:
        id = "MG-Y-0105"
        author = "meetguard"
        date = "2026-11-22"
        description = "The AppleScript shows something harmless, a web page or the system's own updater, while it runs what it downloads"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "medium"
        technique = "T1204.002"
        false_positives = "Onboarding scripts of administrators that open a help page and install tools"
        family = "A1,A2"
    strings:
        $shell = "do shell script" nocase
        $decoy1 = "open location \"http" nocase
        $decoy2 = "open -g " nocase
        $decoy3 = "/usr/sbin/softwareupdate" nocase
        $decoy4 = "open https://" nocase
    condition:
        mg_language startswith "applescript" and $shell and mg_fetch_run and
        (any of ($decoy*) or mg_traits contains " decoy-url " or mg_traits contains " decoy-softwareupdate ")
}
