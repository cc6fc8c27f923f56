package opinion

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"meetguard"
)

// system asks WinVerifyTrust about the signature in the file and, if it has
// none, about the catalogs of this machine: most of Windows itself is signed
// that way. Nothing is shown to the user, nothing is fetched, revocation is
// judged by nobody. ctx cannot end a call of Windows: whoever waits gives up.
func (a *Asker) system(_ context.Context, name string, _ meetguard.Format) ([]meetguard.OSVerdict, error) {
	runtime.LockOSThread() // and never unlocked: what the providers leave in their thread ends with it
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("ask wintrust: %w", err)
	}
	file := windows.WinTrustFileInfo{Size: uint32(unsafe.Sizeof(windows.WinTrustFileInfo{})), FilePath: path}
	code := verify(windows.WTD_CHOICE_FILE, unsafe.Pointer(&file))
	if !learned(code) {
		return nil, fmt.Errorf("ask wintrust: result 0x%08X", code)
	}
	if !unsignedItself(code) {
		return []meetguard.OSVerdict{wintrustVerdict(code, "")}, nil
	}
	v, err := askCatalogs(path)
	if err != nil || v != nil {
		return v, err
	}
	return []meetguard.OSVerdict{wintrustVerdict(code, "")}, nil
}

// verify asks about one subject, and gives back what Windows kept for it.
func verify(choice uint32, subject unsafe.Pointer) uint32 {
	data := windows.WinTrustData{
		Size:                            uint32(unsafe.Sizeof(windows.WinTrustData{})),
		UIChoice:                        windows.WTD_UI_NONE,
		RevocationChecks:                windows.WTD_REVOKE_NONE,
		UnionChoice:                     choice,
		FileOrCatalogOrBlobOrSgnrOrCert: subject,
		StateAction:                     windows.WTD_STATEACTION_VERIFY,
		ProvFlags:                       windows.WTD_CACHE_ONLY_URL_RETRIEVAL | windows.WTD_REVOCATION_CHECK_NONE,
		UIContext:                       windows.WTD_UICONTEXT_EXECUTE,
	}
	err := windows.WinVerifyTrustEx(windows.InvalidHWND, &windows.WINTRUST_ACTION_GENERIC_VERIFY_V2, &data)
	data.StateAction = windows.WTD_STATEACTION_CLOSE
	_ = windows.WinVerifyTrustEx(windows.InvalidHWND, &windows.WINTRUST_ACTION_GENERIC_VERIFY_V2, &data)
	return codeOf(err)
}

// codeOf is the number behind an error of Windows, 0 for none.
func codeOf(err error) uint32 {
	var no syscall.Errno
	if err == nil {
		return 0
	}
	if errors.As(err, &no) {
		return uint32(no)
	}
	return 0x80096001 // TRUST_E_SYSTEM_ERROR
}

// catalogInfo is CATALOG_INFO of mscat.h.
type catalogInfo struct {
	size uint32
	file [windows.MAX_PATH]uint16
}

// trustCatalog is WINTRUST_CATALOG_INFO of wintrust.h.
type trustCatalog struct {
	size       uint32
	version    uint32
	catalog    *uint16
	tag        *uint16
	member     *uint16
	memberFile windows.Handle
	hash       *byte
	hashSize   uint32
	context    uintptr
	admin      uintptr
}

// catalogs are the functions of wintrust.dll that x/sys lacks.
type catalogs struct {
	acquire, release, hash, enumerate, info, releaseOne *windows.LazyProc
}

func loadCatalogs() catalogs {
	dll := windows.NewLazySystemDLL("wintrust.dll")
	return catalogs{dll.NewProc("CryptCATAdminAcquireContext2"), dll.NewProc("CryptCATAdminReleaseContext"),
		dll.NewProc("CryptCATAdminCalcHashFromFileHandle2"), dll.NewProc("CryptCATAdminEnumCatalogFromHash"),
		dll.NewProc("CryptCATCatalogInfoFromContext"), dll.NewProc("CryptCATAdminReleaseCatalogContext")}
}

// askCatalogs looks for catalogs that hold the hash of a file, by SHA-256 and
// then by SHA-1 as older ones do. It is nil if none does.
func askCatalogs(path *uint16) ([]meetguard.OSVerdict, error) {
	c := loadCatalogs()
	for _, p := range []*windows.LazyProc{c.acquire, c.release, c.hash, c.enumerate, c.info, c.releaseOne} {
		if p.Find() != nil {
			return nil, nil // Windows 7 has no catalogs by SHA-256
		}
	}
	file, err := windows.CreateFile(path, windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("ask the catalogs: %w", err)
	}
	defer windows.CloseHandle(file)
	for _, algorithm := range []string{"SHA256", "SHA1"} {
		if v, found := c.ask(file, path, algorithm); found {
			return []meetguard.OSVerdict{v}, nil
		}
	}
	return nil, nil
}

func (c catalogs) ask(file windows.Handle, path *uint16, algorithm string) (meetguard.OSVerdict, bool) {
	var admin uintptr
	word, err := windows.UTF16PtrFromString(algorithm)
	if err != nil {
		return meetguard.OSVerdict{}, false
	}
	if ok, _, _ := c.acquire.Call(uintptr(unsafe.Pointer(&admin)), 0, uintptr(unsafe.Pointer(word)), 0, 0); ok == 0 {
		return meetguard.OSVerdict{}, false
	}
	defer c.release.Call(admin, 0)
	var hash [64]byte
	size := uint32(len(hash))
	if ok, _, _ := c.hash.Call(admin, uintptr(file), uintptr(unsafe.Pointer(&size)), uintptr(unsafe.Pointer(&hash)), 0); ok == 0 {
		return meetguard.OSVerdict{}, false
	}
	found, _, _ := c.enumerate.Call(admin, uintptr(unsafe.Pointer(&hash)), uintptr(size), 0, 0)
	if found == 0 {
		return meetguard.OSVerdict{}, false
	}
	defer c.releaseOne.Call(admin, found, 0)
	info := catalogInfo{size: uint32(unsafe.Sizeof(catalogInfo{}))}
	if ok, _, _ := c.info.Call(found, uintptr(unsafe.Pointer(&info)), 0); ok == 0 {
		return meetguard.OSVerdict{}, false
	}
	tag, err := windows.UTF16PtrFromString(memberTag(hash[:size]))
	if err != nil {
		return meetguard.OSVerdict{}, false
	}
	subject := trustCatalog{size: uint32(unsafe.Sizeof(trustCatalog{})), catalog: &info.file[0], tag: tag, member: path,
		memberFile: file, hash: &hash[0], hashSize: size, admin: admin}
	code := verify(windows.WTD_CHOICE_CATALOG, unsafe.Pointer(&subject))
	if !learned(code) {
		return meetguard.OSVerdict{}, false
	}
	return wintrustVerdict(code, filepath.Base(windows.UTF16ToString(info.file[:]))), true
}
