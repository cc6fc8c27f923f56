// What the scripts of these campaigns do after the first minute.

rule MG_Script_PasswordCheck
{
    meta:
        id = "MG-Y-0131"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script asks for the login password in a window of its own and checks it or sends it away"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "medium"
        technique = "T1056.002"
        false_positives = "Administrators' scripts that escrow a FileVault key"
        family = "A,B,F"
    strings:
        $ask1 = "hidden answer" nocase
        $ask2 = "read -s" 
        $check1 = /dscl [^\n]{1,60}authonly/ nocase
        $check2 = "sudo -S" 
        $check3 = "security unlock-keychain" nocase
        $check4 = "find-generic-password" nocase
        $send = "api.telegram.org/bot" nocase
    condition:
        any of ($ask*) and any of ($check*) and ($send or mg_fetches > 0 or mg_traits contains " upload ")
}

rule MG_Script_SecretsStaging
{
    meta:
        id = "MG-Y-0132"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script packs chat sessions, wallets or passwords into an archive and uploads it"
        reference = "Microsoft, Dissecting Sapphire Sleet's macOS intrusion from lure to compromise, 2026-04-16"
        severity = "high"
        technique = "T1560.001"
        false_positives = "None known: backup scripts do not take wallets, chat sessions and browser passwords at once"
        family = "A1,A4,A7,B,F"
    strings:
        $secret1 = "Telegram Desktop/tdata" nocase
        $secret2 = "Telegram Desktop\\tdata" nocase
        $secret3 = "ru.keepcoder.Telegram" nocase
        $secret4 = "login.keychain-db" nocase
        $secret5 = "Local Extension Settings" nocase
        $secret6 = "/Exodus/exodus.wallet" nocase
        $secret7 = "Ledger Live" nocase
        $secret8 = "nkbihfbeogaeaoehlefnkodbefgpgknn"
        $secret9 = "Default/Login Data" nocase
        $secret10 = "NoteStore.sqlite" nocase
        $secret11 = "tempKeyEncrypted"
        $pack1 = /\bzip -/ nocase
        $pack2 = "ditto -c" nocase
        $pack3 = "compress-archive" nocase
        $pack4 = /\btar -?c/ nocase
        $send2 = "api.telegram.org/bot" nocase
        $send3 = "uploadfile(" nocase
    condition:
        2 of ($secret*) and any of ($pack*) and (any of ($send*) or mg_traits contains " upload ")
}

rule MG_Script_FalsePlatformPersistence
{
    meta:
        id = "MG-Y-0133"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script installs a start-up job under the name of Apple, Google or Zoom for something that it downloads"
        reference = "SentinelLABS, NimDoor, 2025-07"
        severity = "medium"
        technique = "T1543.001"
        false_positives = "Vendors' own installers, which are signed and rarely scripts"
        family = "A1,A4,A8,B"
    strings:
        $job1 = "Library/LaunchAgents" 
        $job2 = "Library/LaunchDaemons"
        $label1 = /<string>com\.(apple|google|zoom|microsoft|adobe)[.a-z0-9-]{0,60}<\/string>/ nocase
        $label2 = /Launch(Agents|Daemons)\/(com\.(apple|google|microsoft)[.a-z0-9-]{1,60}|com\.zoom[.a-z0-9-]{0,60}|us\.zoom[.a-z0-9-]{0,60})\.plist/ nocase
        $write1 = "<key>Label</key>" nocase
        $write2 = "<key>ProgramArguments</key>" nocase
        $write3 = "PlistBuddy" 
        $load1 = "launchctl load" nocase
        $load2 = "launchctl bootstrap" nocase
        $get1 = "curl " nocase
        $get2 = "wget " nocase
    condition:
        any of ($job*) and any of ($label*) and any of ($write*) and any of ($load*) and any of ($get*)
}

rule MG_Script_PublishedMarkers
{
    meta:
        id = "MG-Y-0134"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script holds a name that reports on these campaigns have published"
        reference = "Microsoft 2026-04-16; Huntress 2025-06-18; SentinelLABS 2025-07; Mandiant 2026-02; dmpdump 2024-12"
        severity = "low"
        technique = "T1105"
        false_positives = "Reports, rules and hunting scripts about these campaigns"
        family = "A1,A4,A5,A8,B"
    strings:
        $agent1 = /mac-cur[1-5]\b/ 
        $agent2 = "cur1-agent"
        $path1 = "/fix/mac/update/version/"
        $path2 = "/fix/mac/update/status/"
        $file1 = "/tmp/lg4err"
        $file2 = "com.google.chromes.updaters"
        $file3 = "com.google.webkit.service"
        $file4 = "/Library/Caches/com.apple.mond"
        $file5 = "com.driver9990as7tpatch"
        $file6 = "/var/tmp/VCam"
        $file7 = "/var/tmp/CDrivers"
        $file8 = "Application Support/iCloud/icloudz"
        $file9 = "GoogIe LLC"
    condition:
        any of them
}
