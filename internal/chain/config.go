package chain

import (
	"strings"

	"meetguard"
)

// The tools of developers run code that their settings name, and take packages
// from where their settings say. Who changes them owns every later build.

// hookKeys are settings that name a program which a tool runs.
var hookKeys = []string{"core.hookspath", "core.sshcommand", "core.fsmonitor", "core.pager", "core.editor", "init.templatedir", "diff.external", "filter.", "alias.", "credential.helper", "gpg.program", "script-shell", "node-options", "-toolexec", "rustc-wrapper", "build.rustc", "-javaagent"}

// sourceWords name the place that packages come from.
var sourceWords = []string{"registry", "index-url", "goproxy", "proxy", "repositories", "--add-source", "sources", "source add", "channels", "mirror", "insteadof", "index"}

// configures reads commands that change such settings.
func (r *reader) configures(name string, args []string, all string) {
	switch name {
	case "go":
		if !strings.Contains(all, " env -w ") {
			return
		}
	case "npm", "yarn", "pnpm", "pip", "pip3", "git", "composer", "conda", "poetry", "bundle", "cargo", "helm":
		if !strings.Contains(all, " config ") && !strings.Contains(all, " repo add ") {
			return
		}
	case "gem":
		if !containsAny(all, " sources -a ", " sources --add ") {
			return
		}
	case "dotnet", "nuget", "choco", "winget":
		if !containsAny(all, "source add", "sources add") {
			return
		}
	case "setx":
		r.environment(args, all)
		return
	case "launchctl", "reg", "powershell", "pwsh":
		if containsAny(all, " setenv ", `\environment`, "setenvironmentvariable") {
			r.environment(args, all)
		}
		return
	default:
		return
	}
	if containsAny(all, hookKeys...) && !containsAny(all, " --get", " --list", " --unset", "credential.helper osxkeychain", "credential.helper store", "credential.helper cache", "credential.helper manager") {
		if file := pathIn(args); file != "" {
			r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: "developer tool", File: file})
		}
	}
	if host := hostOf(all); host != "" && containsAny(all, sourceWords...) {
		r.add(meetguard.Deed{Kind: meetguard.DeedTrust, What: name, Host: host})
	}
}

// hookNames are variables that make runtimes load code before any program.
var hookNames = []string{"dotnet_startup_hooks", "node_options", "pythonstartup", "ld_preload", "dyld_insert", "bash_env", "java_tool_options", "_java_options", "perl5opt", "rubyopt", "git_ssh_command", "cor_profiler", "coreclr_profiler", "prompt_command"}

// environment reads what sets such a variable for good, to a file.
func (r *reader) environment(args []string, all string) {
	if !containsAny(all, hookNames...) || containsAny(all, `\program files`, " getenv ", " query ", " delete ") {
		return
	}
	if containsAny(all, ".dll", ".so", ".dylib", ".js", ".py", ".jar", ".rb", ".pm", ".sh", ".cmd", ".bat", ".exe", ".mjs", ".cjs") {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: "environment hook", File: pathIn(args)})
	}
}

// pathIn is the first absolute path in the arguments, in a home or not.
func pathIn(args []string) string {
	for _, a := range args {
		for _, w := range strings.FieldsFunc(a, func(c rune) bool { return strings.ContainsRune(` '"=,;!()`, c) }) {
			if len(w) > 3 && (w[0] == '/' && !system(w) || strings.HasPrefix(w, "~/") || strings.HasPrefix(w, "$HOME") || w[1] == ':' && w[2] == '\\') {
				return w
			}
		}
	}
	return ""
}

// hostOf is the host of the first address in a line.
func hostOf(all string) string {
	host, _ := split(urlText(all))
	return host
}
