#!/bin/sh
# corpora.sh LIST DIR: fetches the packages that LIST names from their
# registries, checks them, and unpacks them below DIR, once. Nothing of them is
# run or installed. Only `make eval` uses them; no test needs them.
set -eu
list=${1:?usage: corpora.sh LIST DIR}
dir=${2:?usage: corpora.sh LIST DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
missing=0

# fetch KIND PACKAGE SUM: leaves the unpacked package in ./out
fetch() {
  case $1 in
  npm)
    npm pack --silent "$2" >/dev/null 2>&1 || return 1
    got=sha512-$(openssl dgst -sha512 -binary ./*.tgz | base64 -w0)
    [ "$got" = "$3" ] || { echo "corpora: $2 has another checksum" >&2; exit 1; }
    mkdir out && tar -xzf ./*.tgz -C out --no-same-owner && rm -f ./*.tgz
    ;;
  deb)
    apt-get -q -q download "$2" >/dev/null 2>&1 || return 1
    echo "$3  $(ls ./*.deb)" | sha256sum --check --status || { echo "corpora: $2 has another checksum" >&2; exit 1; }
    mkdir out && dpkg-deb -R ./*.deb out && rm -f ./*.deb # with its maintainer scripts
    ;;
  esac
}

while read -r kind package sum; do
  case $kind in npm | deb) ;; *) continue ;; esac
  name=$kind/$(echo "$package" | sed 's/^@//; s/[@\/=:~+]/-/g')
  [ -d "$dir/$name" ] && continue
  tmp=$(mktemp -d "$dir/.tmp.XXXXXX")
  chmod 755 "$tmp"
  if (cd "$tmp" && fetch "$kind" "$package" "$sum"); then
    mkdir -p "$dir/$kind"
    mv "$tmp/out" "$dir/$name"
  else
    echo "corpora: $package could not be fetched; the evaluation has fewer clean files" >&2
    missing=1
  fi
  rm -rf "$tmp"
done <"$list"
exit $missing
