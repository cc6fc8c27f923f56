package agent

import (
	"context"
	"slices"
	"strings"

	"meetguard"
	"meetguard/internal/chain"
)

// Launch gathers the facts of one launch: its executable as a file, its
// command line as a script of one line, its ancestors.
func (in *Inspector) Launch(ctx context.Context, p *meetguard.Process) meetguard.Facts {
	f, _, err := in.Known(ctx, p.Exe)
	if err != nil || f.SHA256 == "" {
		// gone, or in a file system that only the process sees: the launch is judged without it
		f = meetguard.Facts{Path: p.Exe, Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown},
			Gaps: []meetguard.Gap{{Fact: "executable", Reason: "it could not be read after the launch"}}}
	}
	f.Process = p
	in.commandLine(ctx, &f)
	in.argument(ctx, &f)
	return f
}

// commandLine adds the structure of the command line to the facts of a launch.
func (in *Inspector) commandLine(ctx context.Context, f *meetguard.Facts) {
	text, shell := commandText(f.Process)
	if !worthReading(text) {
		return
	}
	r, err := in.ask(ctx, request{Op: opCommand, Command: clipText(text, maxRequestText), Shell: shell})
	if err != nil {
		f.Gaps = append(slices.Clip(f.Gaps), meetguard.Gap{Fact: "command line", Reason: reason(err)})
		return
	}
	f.Script = r.Facts.Script
	f.Claims = slices.Clip(f.Claims) // shared with the cache
	for _, c := range r.Facts.Claims {
		if c.Source == meetguard.ClaimBanner {
			f.Claims = append(f.Claims, c)
		}
	}
}

// matchLaunch adds the Sigma rules that the facts of a launch match.
func (in *Inspector) matchLaunch(f *meetguard.Facts) {
	f.Matches = append(slices.Clip(f.Matches), in.sigma.Match(*f)...) // shared with the cache
}

// maxRequestText bounds a command line that is looked at, in bytes.
const maxRequestText = 64 << 10

// commandText is what a launch runs, as text: the script behind -c or -e, or
// the whole command line.
func commandText(p *meetguard.Process) (text, ext string) {
	program := chain.Program(p.Exe)
	ext = commandExt(program)
	for i := 1; i+1 < len(p.Args) && i < 6; i++ {
		switch arg := p.Args[i]; {
		case ext == "sh" && strings.HasPrefix(arg, "-") && strings.HasSuffix(arg, "c") && isShell(program),
			program == "osascript" && arg == "-e":
			return p.Args[i+1], ext
		}
	}
	if ext == "applescript" {
		ext = "sh"
	}
	if len(p.Args) == 0 {
		return p.CommandLine, ext
	}
	words := make([]string, len(p.Args))
	for i, w := range p.Args {
		words[i] = quoteWord(w)
	}
	return strings.Join(words, " "), ext
}

func isShell(program string) bool {
	return contains([]string{"sh", "bash", "zsh", "dash", "ksh", "fish"}, program)
}

func quoteWord(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\n\"'\\$`|&;<>()*?[]#~") {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// worthReading spares the worker the thousands of launches that fetch and hide
// nothing.
func worthReading(text string) bool {
	if len(text) < 8 {
		return false
	}
	lower := strings.ToLower(text)
	for _, mark := range []string{"://", "curl", "wget", "osascript", "base64", "-enc", "-e ", "iex", "mshta", "certutil", "bitsadmin",
		"do shell script", "tdata", "keychain", "quarantine", "login data", "eval ", "nscurl", "webclient", "invoke-"} {
		if strings.Contains(lower, mark) {
			return true
		}
	}
	return false
}
