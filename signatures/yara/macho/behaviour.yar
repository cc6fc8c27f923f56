// What Mach-O programs of these campaigns carry as text. Signature and identity
// are judged elsewhere.

rule MG_MachO_PasswordPrompt
{
    meta:
        id = "MG-Y-0401"
        author = "meetguard"
        date = "2026-11-22"
        description = "The program asks for the login password through a scripted window and checks it with the directory service"
        reference = "Cado Security, Meeten malware: a cross-platform threat to crypto wallets, 2024-12"
        severity = "high"
        technique = "T1056.002"
        false_positives = "Administrators' tools that escrow a FileVault key, which are signed and notarised"
        family = "A1,A7,B,F"
    strings:
        $ask1 = "with hidden answer" nocase
        $ask2 = "hidden answer true" nocase
        $show = "display dialog" nocase
        $check1 = "-authonly" 
        $check2 = "find-generic-password" 
        $check3 = "unlock-keychain" 
        $tool1 = "osascript" 
        $tool2 = "NSAppleScript"
    condition:
        (uint32be(0) == 0xCFFAEDFE or uint32be(0) == 0xCEFAEDFE or uint32be(0) == 0xCAFEBABE or uint32be(0) == 0xCAFEBABF) and
        any of ($ask*) and $show and any of ($check*) and any of ($tool*) and mg_signature != "valid"
}

rule MG_MachO_ShellCradle
{
    meta:
        id = "MG-Y-0402"
        author = "meetguard"
        date = "2026-11-22"
        description = "The program holds a shell command that downloads a script and runs it at once"
        reference = "Kaspersky, GhostCall and GhostHire, 2025-10"
        severity = "medium"
        technique = "T1059.004"
        false_positives = "Package managers and developer tools that print or run their own install line"
        family = "A,B,F"
    strings:
        $run1 = /curl [^\x00\n|]{1,300}https?:[^\x00\n|]{1,300}\| ?(\/[a-z\/]{1,20}\/)?osascript/
        $run2 = /curl (-k|[^\x00\n|]{0,200} (-k|--insecure))[^\x00\n|]{0,300}\| ?(\/[a-z\/]{1,20}\/)?(ba|z)?sh\b/
        $run3 = /curl [^\x00\n;&]{0,300}-o ?["']?\/(private\/)?(var\/)?tmp\/[^\x00\n]{1,200}(chmod \+x|osascript|xattr -[cd])/
        $run4 = /nohup (\/usr\/bin\/)?curl [^\x00\n]{1,300}\/dev\/null[^\x00\n]{0,20}&/
    condition:
        (uint32be(0) == 0xCFFAEDFE or uint32be(0) == 0xCEFAEDFE or uint32be(0) == 0xCAFEBABE or uint32be(0) == 0xCAFEBABF) and
        any of them
}

rule MG_MachO_PublishedMarkers
{
    meta:
        id = "MG-Y-0403"
        author = "meetguard"
        date = "2026-11-22"
        description = "The program holds a name that reports on these campaigns have published"
        reference = "Microsoft 2026-04-16; Huntress 2025-06-18; SentinelLABS 2025-07; Mandiant 2026-02; dmpdump 2024-12"
        severity = "low"
        technique = "T1105"
        false_positives = "Security products that carry the same names as indicators"
        family = "A1,A4,A5,A8,B"
    strings:
        $agent1 = /mac-cur[1-5]\b/
        $agent2 = "cur1-agent"
        $path1 = "/fix/mac/update/version/"
        $path2 = "/fix/mac/update/status/"
        $file1 = "/tmp/lg4err"
        $file2 = "com.google.chromes.updaters"
        $file3 = "com.google.webkit.service"
        $file4 = "com.apple.mond"
        $file5 = "/Library/OSRecovery/SystemUpdater"
        $file6 = "com.driver9990as7tpatch"
        $file7 = "GoogIe LLC"
        $file8 = "CallCSSetup"
    condition:
        (uint32be(0) == 0xCFFAEDFE or uint32be(0) == 0xCEFAEDFE or uint32be(0) == 0xCAFEBABE or uint32be(0) == 0xCAFEBABF) and
        any of them
}
