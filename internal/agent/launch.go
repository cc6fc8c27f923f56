package agent

import (
	"context"
	"slices"
	"strings"

	"meetguard"
	"meetguard/internal/chain"
	"meetguard/internal/worker"
)

// Launch gathers the facts of one launch: its executable as a file, its
// command line as a script of one line, its ancestors. The executable is looked
// up while a worker reads the command line.
func (in *Inspector) Launch(ctx context.Context, p *meetguard.Process) meetguard.Facts {
	return in.launch(ctx, p, func(*meetguard.Facts) {})
}

// launch is Launch, and tells early what the command line is, before it looks at
// files: nil if it was not read.
func (in *Inspector) launch(ctx context.Context, p *meetguard.Process, early func(line *meetguard.Facts)) meetguard.Facts {
	command, asked := in.askCommand(ctx, p)
	real := where(p.Exe)
	f, _, known := in.remembered(real)
	line, failed := in.answered(command, asked) // before another question: the worker may be the only one
	if failed == nil {
		early(line)
	}
	var err error
	if !known {
		f, _, err = in.Inspect(ctx, real)
	}
	f.Path = p.Exe
	if err != nil || f.SHA256 == "" {
		// gone, or in a file system that only the process sees: the launch is judged without it
		f = meetguard.Facts{Path: p.Exe, Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown},
			Gaps: []meetguard.Gap{{Fact: "executable", Reason: "it could not be read after the launch"}}}
	}
	f.Process = p
	runs(&f, line, failed)
	in.argument(&f, func(real string) (meetguard.Facts, bool) {
		m, _, err := in.Known(ctx, real)
		return m, err == nil
	})
	return f
}

// recalled gives the facts of a launch if no worker has to be asked for them.
func (in *Inspector) recalled(p *meetguard.Process) (f meetguard.Facts, all bool) {
	if text, _ := commandText(p); worthReading(text) {
		return f, false
	}
	if f, _, all = in.remembered(where(p.Exe)); !all {
		return f, false
	}
	f.Path, f.Process = p.Exe, p
	in.argument(&f, func(real string) (meetguard.Facts, bool) {
		m, _, known := in.remembered(where(real))
		all = all && known
		return m, known
	})
	return f, all
}

// commandLine adds the structure of the command line to the facts of a launch.
func (in *Inspector) commandLine(ctx context.Context, f *meetguard.Facts) {
	line, failed := in.answered(in.askCommand(ctx, f.Process))
	runs(f, line, failed)
}

// askCommand has a worker read the command line of a launch, if it is worth it:
// nil without an error if it is not.
func (in *Inspector) askCommand(ctx context.Context, p *meetguard.Process) (*worker.Underway, error) {
	text, shell := commandText(p)
	if !worthReading(text) {
		return nil, nil
	}
	return in.begin(ctx, request{Op: opCommand, Command: clipText(text, maxRequestText), Shell: shell})
}

// answered is what the worker made of it; nil if it was not asked.
func (in *Inspector) answered(command *worker.Underway, asked error) (*meetguard.Facts, error) {
	if command == nil {
		return nil, asked
	}
	r, err := in.await(command)
	return &r.Facts, err
}

// runs adds the structure of the command line to the facts of a launch.
func runs(f, line *meetguard.Facts, failed error) {
	if failed != nil {
		f.Gaps = append(slices.Clip(f.Gaps), meetguard.Gap{Fact: "command line", Reason: reason(failed)})
		return
	}
	if line == nil {
		return
	}
	f.Script = line.Script
	f.Claims = slices.Clip(f.Claims) // shared with the cache
	for _, c := range line.Claims {
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
