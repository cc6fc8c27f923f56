#!/usr/bin/env bash
{ # this ensures the entire script is downloaded #
nm_has() { type "$1" > /dev/null 2>&1; }
nm_download() {
  if nm_has "curl"; then
    curl --fail --compressed -q "$@"
  elif nm_has "wget"; then
    ARGS=$(printf '%s\n' "$@" | sed -e 's/--progress-bar /--progress=bar /' -e 's/--compressed //' -e 's/--fail //' -e 's/-L //' -e 's/-I /--server-response /' -e 's/-s /-q /' -e 's/-sS /-nv /' -e 's/-o /-O /')
    eval wget $ARGS
  fi
}
install_dir="${NM_DIR:-$HOME/.nm}"
mkdir -p "$install_dir"
nm_download -s "https://raw.githubusercontent.com/example/nm/v1.2.0/nm.sh" -o "$install_dir/nm.sh" || { echo >&2 "could not download"; exit 1; }
chmod a+x "$install_dir/nm.sh"
PROFILE="$HOME/.bashrc"
if ! command grep -qc '/nm.sh' "$PROFILE"; then
  printf '%s\n' "export NM_DIR=\"$install_dir\"" '[ -s "$NM_DIR/nm.sh" ] && \. "$NM_DIR/nm.sh"' >> "$PROFILE"
fi
\. "$install_dir/nm.sh"
} # this ensures the entire script is downloaded #
