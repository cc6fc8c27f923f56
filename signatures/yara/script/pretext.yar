// What a lure says: a meeting tool needs a repair, just before the call. Words
// alone are never more than context; here they stand beside a cradle.

rule MG_Script_MeetingRepairCradle
{
    meta:
        id = "MG-Y-0111"
        author = "meetguard"
        date = "2026-11-22"
        description = "The script talks of repairing or updating a meeting tool and runs something that it downloads"
        reference = "Field Effect, Zoom & doom: BlueNoroff call opens the door, 2025-06"
        severity = "medium"
        technique = "T1204.002"
        false_positives = "Deployment scripts of administrators, which name the brand, download the installer and run it"
        family = "A,B,C"
    strings:
        $brand1 = /\bzoom\b/ nocase
        $brand2 = "microsoft teams" nocase
        $brand3 = "msteams" nocase
        $brand4 = "ms-teams" nocase
        $brand5 = "google meet" nocase
        $brand6 = "webex" nocase
        $brand7 = "skype" nocase
        $brand8 = "video conference" nocase
        $brand9 = "video interview" nocase
        $why1 = /\b(sdk|audio|microphone|camera|webcam|video|codec|driver)[ _-]{0,2}(sdk|update|upgrade|fix|repair|support|extension|driver|issue|problem|error|component)/ nocase
        $why2 = "out of date" nocase
        $why3 = "outdated" nocase
        $why4 = "deprecated" nocase
        $why5 = "no longer supported" nocase
        $why6 = "press the run button" nocase
        $why7 = "before joining" nocase
        $why8 = "sdk update" nocase
        $why9 = "sdk support" nocase
    condition:
        mg_fetch_run and mg_size < 65536 and any of ($brand*) and (any of ($why*) or mg_pretexts >= 2)
}

rule MG_Shell_DriverFix
{
    meta:
        id = "MG-Y-0112"
        author = "meetguard"
        date = "2026-11-22"
        description = "A shell script that poses as a camera, audio or codec fix unpacks a download in a temporary folder and starts it"
        reference = "dmpdump, Contagious Interview: camera driver fix scripts, 2024-12"
        severity = "medium"
        technique = "T1204.004"
        false_positives = "Real driver installers that unpack under /tmp"
        family = "B"
    strings:
        $why1 = /(camera|webcam|vcam|microphone|audio|video|ffmpeg|codec|nvidia|realtek)[a-z0-9_ .-]{0,12}(driver|fix|update|patch|release|service|codec|toolkit)/ nocase
        $why2 = /(driver|drv|codec)s?[_ -]?(fix|fixer|update|patch|install)/ nocase
        $why3 = "installing dependencies" nocase
        $open1 = "unzip " nocase
        $open2 = /\btar -?x/ nocase
        $open3 = "ditto -x" nocase
        $start1 = "chmod +x" nocase
        $start2 = "nohup " nocase
        $start3 = "LaunchAgents"
        $start4 = "xattr -" nocase
        $start5 = /(ba|z)sh ["']?\/(private\/)?(var\/)?tmp\// nocase
    condition:
        mg_language == "shell" and mg_size < 65536 and any of ($why*) and mg_cradles contains ">temp" and any of ($open*) and 2 of ($start*)
}
