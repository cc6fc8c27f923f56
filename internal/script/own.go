package script

import "strings"

// A program that reads a pipe runs what comes through it only if it was given
// no program of its own: "| python3 -c 'import json…'" reads data.

// codeOption tells whether a word is the option of an interpreter behind which
// its program stands.
func codeOption(head, w string) bool {
	if len(w) < 2 || w[0] != '-' || w[1] == '-' {
		return w == "--eval" || w == "--print" || w == "--run"
	}
	last := w[len(w)-1]
	switch programs[head] {
	case "sh", "bash", "zsh":
		return last == 'c' && len(w) <= 5
	case "python":
		return w == "-c" || len(w) <= 4 && last == 'c' || w == "-m"
	case "perl", "ruby":
		return last == 'e' && len(w) <= 6 || w[1] == 'e' || w[1] == 'n' || w[1] == 'p'
	case "node", "osascript", "php":
		return w == "-e" || w == "-p" || w == "-pe" || w == "-r" && head == "php"
	case "powershell":
		return strings.HasPrefix("-command", strings.ToLower(w)) && len(w) > 1 || strings.HasPrefix("-file", strings.ToLower(w)) || strings.HasPrefix("-encodedcommand", strings.ToLower(w))
	}
	return false
}

// takesValue holds for options of interpreters with a value of their own.
func takesValue(head, w string) bool {
	switch w {
	case "-l", "-s":
		return head == "osascript"
	case "-W", "-X":
		return head == "python"
	case "-o", "-O", "--rcfile", "--init-file":
		return programs[head] == "sh" || programs[head] == "bash" || programs[head] == "zsh"
	}
	return false
}

// program returns the program that an interpreter is given by an argument: its
// text behind an option, or the name of a file. fromInput holds if it is told
// to read its input instead.
func (s *stmt) program() (code, file string, fromInput bool) {
	for i := 1; i < len(s.cmd); i++ {
		w := s.cmd[i]
		switch {
		case codeOption(s.head, w):
			return s.codeAt(i + 1), "", false
		case w == "-" || w == "/dev/stdin" || w == "/dev/fd/0" || w == "/proc/self/fd/0":
			return "", "", true
		case takesValue(s.head, w):
			i++
		case len(w) > 1 && w[0] == '-':
			if w[1] != '-' && strings.IndexByte(w, 's') > 0 && (programs[s.head] == "sh" || programs[s.head] == "bash" || programs[s.head] == "zsh") {
				return "", "", true
			}
		case w != "":
			return "", w, false
		}
	}
	return "", "", false
}

// codeAt is the text of the program behind an option: one argument, and those
// behind the same option again. What else follows is what the program is given;
// only PowerShell joins it to the command.
func (s *stmt) codeAt(i int) string {
	if programs[s.head] == "powershell" {
		return strings.Join(s.cmd[i:], "\n")
	}
	var code []string
	for ; i < len(s.cmd); i += 2 {
		code = append(code, s.cmd[i])
		if i+1 >= len(s.cmd) || !codeOption(s.head, s.cmd[i+1]) {
			break
		}
	}
	return strings.Join(code, "\n")
}

// keepsToItself tells whether the program of an interpreter is fixed, so that
// what it is given is data. embedded: what comes is an argument, not the input.
func (s *stmt) keepsToItself(embedded bool) bool {
	switch programs[s.head] {
	case "", "direct", "iex", "installer", "osacompile":
		return false
	}
	switch s.head {
	case "eval", "source", ".", "su", "mshta", "rundll32", "regsvr32":
		return false
	}
	code, file, fromInput := s.program()
	if fromInput {
		return false
	}
	if code != "" {
		if embedded {
			return !strings.Contains(code, "$(") && !strings.Contains(code, "`") && !runsArgument(code)
		}
		return !evaluatesInput(code)
	}
	return file != "" && !embedded
}

// runsArgument holds for a program of the shell that executes what it is given.
func runsArgument(code string) bool {
	low := strings.TrimLeft(strings.ToLower(code), " \"'")
	return strings.HasPrefix(low, "$") || strings.HasPrefix(low, "exec ") || evaluatesInput(code)
}

// evaluatesInput holds for a program that executes what it reads.
func evaluatesInput(code string) bool {
	low := strings.ToLower(code)
	for _, w := range []string{"exec", "eval", "system", "source ", ". /dev/", "iex", "invoke-expression", "run script", "function(", "marshal", "os.popen", "subprocess", "spawn", "$(cat", "`cat", "| sh", "|sh", "| bash", "|bash", "loads(", "$input"} {
		if w == "loads(" {
			if strings.Contains(low, "pickle") {
				return true
			}
			continue
		}
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// executesWord tells whether a word that holds name is part of what the
// statement executes, and not an argument of it.
func (s *stmt) executesWord(name string) bool {
	switch s.head {
	case "eval", "source", ".", "iex", "invoke-expression":
		return strings.Contains(s.text, name)
	}
	code, file, _ := s.program()
	if code != "" {
		return strings.Contains(code, name)
	}
	if s.here != "" && strings.Contains(s.here, name) {
		return file == ""
	}
	return strings.Contains(file, name) || s.head == "su" && strings.Contains(s.text, name)
}
