package detect

import (
	"strings"

	"meetguard"
)

// Where something lies and what it is called, as far as that tells what it is.

// systemLike says whether a name is that of a part of a system, or would be
// taken for one.
func systemLike(name string) bool {
	name = strings.TrimPrefix(name, ".")
	if i := strings.IndexAny(name, "-_. "); i > 3 && systemName(name[:i]) {
		return true
	}
	return systemName(name) || strings.HasPrefix(name, "com.apple.") || strings.HasPrefix(name, "kworker") || strings.HasPrefix(name, "systemd-")
}

// systemName says whether a name is that of a part of one of the systems.
func systemName(name string) bool { return windowsNames[name] || macNames[name] || linuxNames[name] }

// partOf says whether a name is that of a part of the system itself: on another it
// is a name like any other.
func partOf(system, name string) bool {
	switch system {
	case "windows":
		return windowsNames[name]
	case "darwin":
		return macNames[name]
	case "linux":
		return linuxNames[name]
	}
	return systemName(name)
}

// otherRoot says whether a path lies in the folders of a whole system that was
// unpacked below another folder: a container, an image that is built, or Windows
// in a bottle.
func otherRoot(system, low string) bool {
	if system != "windows" && strings.Contains(low, "/drive_c/windows/") {
		return true
	}
	if system != "linux" {
		return false
	}
	for _, folder := range []string{"/usr/lib/systemd/", "/usr/bin/", "/usr/sbin/", "/lib/systemd/"} {
		if strings.Index(low, folder) > 0 && bareIn(low, folder) {
			return true
		}
	}
	return false
}

var libraryExt = set(`.dll .cpl .ocx .ax .drv .tsp .sct .inf`)

// systemFolder says whether a path is that of a program of the system.
func systemFolder(p string) bool {
	low := slashed(p)
	return strings.Contains(low, "/windows/system32/") || strings.Contains(low, "/windows/syswow64/") || strings.HasPrefix(low, "%windir%") || strings.HasPrefix(low, "%systemroot%") ||
		strings.HasPrefix(low, "/usr/bin/") || strings.HasPrefix(low, "/bin/")
}

func hiddenName(name string) bool { return len(name) > 1 && name[0] == '.' && name[1] != '.' }

// devFolders are hidden folders of a home that tools of developers and of the
// desktop run programs from.
var devFolders = set(`.acme.sh .cargo .rustup .nvm .npm .npm-global .nodenv .pyenv .rbenv .rvm .asdf .sdkman .deno .bun .go .gvm .goenv .jenv .dotnet .nuget .gradle .m2 .ivy2 .venv .virtualenvs .tox .poetry .pixi .conda .mamba .local .vscode .vscode-server .cursor .cursor-server .windsurf .idea .git .config .docker .krew .helm .kube .volta .fnm .proto .mise .juliaup .ghcup .opam .cabal .stack .elan .composer .gem .yarn .pnpm .pnpm-store .linuxbrew .oh-my-zsh .fzf .tmux .vim .emacs.d .steam .var .wine .minecraft .jdks .android .flutter .pub-cache .swiftpm .swiftly .foundry .avm .nix-profile .dropbox-dist .toolbox .antigen .zinit .zplug .hammerspoon .claude .codex .ansible .vagrant.d .platformio .espressif .arduino15 .x64 .next .output .cache .ollama .lmstudio .modular .wasmtime .wasmer .kiro .jupyter .ipython .rd .colima .orbstack .lima .bin .dapr .terraform .tfenv .pulumi .fly .railway .turso .modal .duckdb .atuin .starship .zed .zed_server .fleet .trunk .hex .mix .asdf-vm .phpenv .symfony5 .symfony .ddev .lando .istioctl .linkerd2 .kn .okteto .tilt-dev .serverless .amplify .wakatime .bazel .ccache .hplip .squirrel .pre-commit .nox .hatch .uv .rye .sonar .snyk .semgrep .codeium .tabnine .copilot .continue .node .node_modules .node-gyp .electron .electron-gyp .expo .cocoapods .fastlane .gitpod .devcontainer .dev .dotfiles .mozilla`)

// privateFolders hold keys and settings, and no programs.
var privateFolders = set(`.ssh .gnupg .aws .azure .gpg .password-store`)

// coveredPlace says whether a path lies where no setup puts a program and nobody
// looks: hidden folders and names, shared and public folders, the folders of a
// profile themselves.
func coveredPlace(p string) bool {
	low := slashed(p)
	if low == "" {
		return false
	}
	switch {
	case strings.Contains(low, "/tmp/.mount_"), strings.Contains(low, "/node_modules/"), strings.Contains(low, "/.git/"), strings.Contains(low, "/site-packages/"):
		return false
	case strings.HasPrefix(low, "/users/shared/"), strings.HasPrefix(low, "/dev/shm/"), strings.HasPrefix(low, "/memfd:"), strings.Contains(low, "/users/public/"), noProgramPlace(low), strings.Contains(low, "/.local/state/"), strings.Contains(low, "/programs/startup/"):
		return true
	case bareIn(low, "/appdata/roaming/"), bareIn(low, "/appdata/local/"), bareIn(low, "c:/programdata/"), bareIn(low, "%appdata%/"), bareIn(low, "%localappdata%/"), bareIn(low, "c:/perflogs/"), bareIn(low, "%programdata%/"), bareIn(low, "c:/windows/temp/"):
		return runExt[pathExt(low)] || pathExt(low) == ".dll" || pathExt(low) == ".ocx" || pathExt(low) == ".cpl" || pathExt(low) == ".js"
	case home(low) && (bareIn(low, "/library/caches/") || bareIn(low, "/library/logs/") || bareIn(low, "/library/preferences/") || bareIn(low, "/library/fonts/") || bareIn(low, "/library/") || bareIn(low, "/library/application support/") || bareIn(low, "/library/cookies/")):
		return pathExt(low) != ".plist" && pathExt(low) != ".log" && pathExt(low) != ".zip"
	}
	if home(low) && (bareIn(low, "/.config/") || bareIn(low, "/.local/") || bareIn(low, "/.cache/")) && (pathExt(low) == "" || pathExt(low) == ".sh") {
		return true
	}
	if loginFile(low) {
		return false
	}
	parts := strings.Split(low, "/")
	for i, part := range parts {
		if i == len(parts)-1 && ofItsTool(parts) {
			continue
		}
		if !hiddenName(part) || devFolders[part] && (i < len(parts)-1 || dotFile(low)) || i == 0 && part == "." || strings.HasPrefix(part, ".tmp") && i < len(parts)-1 || i+2 < len(parts) && parts[i+1] == "bin" && home(low) && !privateFolders[part] {
			continue // ~/.tool/bin/tool is how tools of developers are laid out
		}
		return true
	}
	return false
}

// buildFolders are where compilers put what they have made.
var buildFolders = []string{"/target/debug/", "/target/release/", "/bin/debug/", "/bin/release/", "/.build/debug/", "/.build/release/", "/deriveddata/"}

// toolFolders are where package managers of developers put what is started by its
// name in a terminal.
var toolFolders = []string{"/opt/homebrew/bin/", "/.cargo/bin/", "/go/bin/"}

// builtHere says whether the program of a launch was made on this machine, or is a
// tool for the command line that somebody typed: such have the names that their
// authors liked. Nothing of it came as a download.
func (l *launch) builtHere() bool {
	low := slashed(l.Exe)
	if l.OriginHost == "" && l.builtBefore(low) {
		return true
	}
	if l.OriginHost != "" || strings.Contains(low, ".app/") && !strings.Contains(low, "/deriveddata/") {
		return false
	}
	if l.parent() == "go" && strings.Contains(low, "/go-build") && strings.Contains(low, "/exe/") {
		return true
	}
	for _, folder := range buildFolders {
		if strings.Contains(low, folder) && home(low) && !landingPlace(low) {
			return true
		}
	}
	for _, folder := range toolFolders {
		if bareIn(low, folder) && l.typed() {
			return true
		}
	}
	return false
}

// loginFiles are what shells read when they start, and scripts that want to be
// like a login.
var loginFiles = set(`.profile .bashrc .bash_profile .bash_login .bash_aliases .bash_logout .zshrc .zshenv .zprofile .zlogin .kshrc .mkshrc .cshrc .tcshrc .login .xprofile`)

// loginFile says whether a path is that of a start file of a shell in a home.
func loginFile(low string) bool { return loginFiles[baseName(low)] && dotFile(low) }

// ofItsTool says whether a hidden name is that of the hidden folder of a tool of
// developers that it lies in, as ~/.rbenv/shims/.rbenv-shim is. Folders of
// everybody name nothing.
func ofItsTool(parts []string) bool {
	name := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		if devFolders[part] && !everybodys[part] && strings.HasPrefix(name, part) {
			return true
		}
	}
	return false
}

var everybodys = set(`.local .config .cache .var .bin .dev .output .next .x64 .node`)

// buildTools run compilers and what packs their work.
var buildTools = set(`make gmake ninja cmake xcodebuild xcrun cargo go swift msbuild dotnet gradle gradlew mvn bazel meson scons npm yarn pnpm bun node electron-builder briefcase pyinstaller flutter qmake devenv tauri wails`)

// builtBefore says whether somebody in the folder of a project ran what builds it,
// and then by hand the program that lies in it. Nothing was brought meanwhile.
func (l *launch) builtBefore(low string) bool {
	project := strings.TrimSuffix(slashed(l.Cwd), "/") + "/"
	if !home(project) || strings.Count(project, "/") < 4 || !strings.HasPrefix(low, project) || landingPlace(low) || tempPlace(low) || coveredPlace(low) || !l.typed() {
		return false
	}
	built := false
	for _, st := range append(append([]meetguard.Step{}, l.session...), l.chain...) {
		built = built || buildTools[program(st.Exe)] && !userPlace(st.Exe)
		if fetchers[program(st.Exe)] {
			return false
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedFetchRun || d.Kind == meetguard.DeedUnpack || d.Kind == meetguard.DeedDequarantine {
				return false
			}
		}
	}
	return built
}

// installedPlace says whether a path lies where setups put the programs that a
// person uses.
func installedPlace(p string) bool {
	low := slashed(p)
	return strings.HasPrefix(low, "/applications/") || strings.Contains(low, ":/program files") || strings.Contains(low, "/appdata/local/programs/") || strings.HasPrefix(low, "/opt/") || strings.HasPrefix(low, "/usr/")
}

// dotFile says whether a path is that of a settings file in a home.
func dotFile(p string) bool {
	low := slashed(p)
	if !hiddenName(baseName(low)) {
		return false
	}
	switch strings.Count(low, "/") {
	case 1:
		return strings.HasPrefix(low, "~/") || strings.HasPrefix(low, "$home/")
	case 2:
		return strings.HasPrefix(low, "/root/")
	case 3:
		return strings.HasPrefix(low, "/home/") || strings.HasPrefix(low, "/users/") || len(low) > 9 && low[1:9] == ":/users/"
	}
	return false
}

func home(low string) bool {
	return strings.HasPrefix(low, "/users/") || strings.HasPrefix(low, "/home/") || strings.HasPrefix(low, "/root/") || strings.HasPrefix(low, "~/") || strings.HasPrefix(low, "$home/") || len(low) > 9 && low[1:9] == ":/users/"
}

// bareIn says whether a path lies directly in a folder.
func bareIn(low, folder string) bool {
	_, rest, ok := strings.Cut(low, folder)
	return ok && !strings.Contains(rest, "/")
}

func pathExt(low string) string {
	if i := strings.LastIndexByte(low, '.'); i > strings.LastIndexByte(low, '/') {
		return low[i:]
	}
	return ""
}

// sideloaded says whether a program is of a snap that was installed from a file:
// the revisions of those begin with an x, those of the store are numbers.
// https://snapcraft.io/docs/revisions
func sideloaded(low string) bool {
	rest, ok := strings.CutPrefix(low, "/snap/")
	if !ok {
		return false
	}
	parts := strings.SplitN(rest, "/", 3)
	return len(parts) == 3 && len(parts[1]) > 1 && parts[1][0] == 'x' && strings.Trim(parts[1][1:], "0123456789") == ""
}
