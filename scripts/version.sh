# version.sh is read by the scripts that build: it sets VERSION, COMMIT and
# SOURCE_DATE_EPOCH, the time of the commit, from git where they are not given.
# Without a tag of a release the version is 0.0.N, N the number of commits: it
# grows, and Windows Installer takes it.
if [ -z "${VERSION:-}" ]; then
  VERSION=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null | sed 's/^v//')
  [ -n "$VERSION" ] || VERSION=0.0.$(git rev-list --count HEAD 2>/dev/null || echo 0)
fi
if [ -z "${COMMIT:-}" ]; then
  COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
  [ -z "$(git status --porcelain 2>/dev/null)" ] || COMMIT=$COMMIT-dirty
fi
[ -n "${SOURCE_DATE_EPOCH:-}" ] || SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export VERSION COMMIT SOURCE_DATE_EPOCH
