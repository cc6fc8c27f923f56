package script

// The traits. The words are stable: rules and people read them. A trait states
// what the text does, not that it is bad: honest installers have many of them.
const (
	TraitAdminPrivileges     = "admin-privileges"        // asks for administrator rights from inside a script: "with administrator privileges", -Verb RunAs, sudo -S
	TraitAnalysisLimit       = "analysis-limit"          // a limit ended the analysis before the text did: what was not found may be there
	TraitBrowserData         = "browser-data"            // names the password, cookie or extension stores of browsers
	TraitCaffeinate          = "caffeinate"              // keeps the machine awake
	TraitChecksDownload      = "checks-download"         // compares a digest, or verifies a signature
	TraitClipboard           = "clipboard"               // reads or writes the clipboard
	TraitCommentFlood        = "comment-flood"           // 300 or more lines without code, most of them comments, before code
	TraitDecoySoftwareUpdate = "decoy-softwareupdate"    // runs softwareupdate with something it does not take
	TraitDecoyURL            = "decoy-url"               // opens a web page while it does something else
	TraitDecodedThenRun      = "decoded-then-run"        // text goes through a decoder (base64 -d, tr, sed, rev, xxd …) into an interpreter
	TraitDefenderExclusion   = "defender-exclusion"      // takes paths out of Microsoft Defender's sight or turns it off
	TraitDequarantine        = "dequarantine"            // removes the quarantine mark, turns Gatekeeper off, unblocks a download
	TraitDisguised           = "disguised-command"       // fetches and runs by a program that the text spells nowhere, or inside another language where nobody looks for it
	TraitDynamicEval         = "dynamic-eval"            // executes text it has computed: iex, eval "$(…)", Execute, exec(…), run script
	TraitEncodedCommand      = "encoded-command"         // passes a base64 command to PowerShell
	TraitExtractAndRun       = "extract-and-run"         // unpacks an archive and runs something out of it
	TraitFakePlatformName    = "fake-platform-name"      // writes files or labels named like the platform's or a big vendor's own
	TraitGateOff             = "gatekeeper-off"          // turns the check of programs off for the whole machine
	TraitHiddenFiles         = "hidden-files"            // hides files: attrib +h, chflags hidden
	TraitHiddenWindow        = "hidden-window"           // runs out of sight: -w hidden, Run …,0, nohup … &, >/dev/null &
	TraitKeychain            = "keychain"                // reads the macOS keychain or the Windows credential vault
	TraitKillSecurity        = "kill-security"           // ends or unloads security software
	TraitLeadingPadding      = "leading-padding"         // 40 or more blank lines before the first text
	TraitLongOpaqueTokenPath = "long-opaque-token-path"  // a fetched URL ends in a long random token: made for one victim
	TraitOddUserAgent        = "odd-user-agent"          // a fetch names itself by a short invented agent
	TraitOptions             = "options"                 // reads options or parameters, or explains its usage
	TraitPacksFiles          = "packs-files"             // makes an archive of files
	TraitPaddedLine          = "padded-line"             // 200 or more blanks inside one line before code
	TraitPageCopiesCommand   = "page-copies-command"     // page: copies a command that fetches and runs, does not show it, and tells its reader to run it
	TraitPasswordPrompt      = "password-prompt"         // asks the user for a password, or checks one
	TraitPathFromWritable    = "path-from-user-writable" // runs a program from a folder that every user program may write
	TraitPersistence         = "persistence"             // arranges to be started again
	TraitProfileData         = "profile-data"            // names folders in which programs keep their data, or keys, in the user's profile
	TraitProgressTheatre     = "progress-theatre"        // shows progress between sleeps
	TraitRawIPHost           = "raw-ip-host"             // a URL has a public IP address for a host
	TraitRemoteSearch        = "remote-search"           // page: shows a folder of another machine as a search of Windows Explorer
	TraitResign              = "resign"                  // signs code ad hoc
	TraitRunScriptOfResult   = "run-script-of-result"    // AppleScript: runs or loads a script that it fetched, made or computed
	TraitRunsComputedText    = "runs-computed-text"      // AppleScript: runs a text that a handler or a loop over characters computes
	TraitSelfDelete          = "self-delete"             // removes itself or what it has just run
	TraitShellHistory        = "shell-history"           // reads the shell's history files
	TraitSleeps              = "sleeps"                  // waits on purpose
	TraitSmugglesProgram     = "smuggles-program"        // page: holds a program in its text and hands it out as a download
	TraitSSHKeys             = "ssh-keys"                // names private keys
	TraitSwallowErrors       = "swallow-errors"          // the whole body runs where no error shows
	TraitTCCEdit             = "tcc-edit"                // touches the database of macOS privacy consents
	TraitTelegramBot         = "telegram-bot"            // talks to the Telegram bot interface
	TraitTelegramData        = "telegram-data"           // names Telegram's session store
	TraitTempExec            = "temp-exec"               // writes to a temporary folder and executes it
	TraitTextInstructs       = "text-instructs"          // text for people: has its reader run a command that fetches and runs, for the sake of a call
	TraitUpload              = "upload"                  // sends a file or a body out
	TraitWalletData          = "wallet-data"             // names the stores of crypto wallets
)
