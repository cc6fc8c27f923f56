package box

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Groups of every token (winnt.h), and the names of SIDs.
const (
	nullSID       = "S-1-0-0"
	restrictedSID = "S-1-5-12"
	untrustedSID  = "S-1-16-0"
	systemSID     = "S-1-5-18"
	adminsSID     = "S-1-5-32-544"

	disableMaxPrivilege = 1 // of CreateRestrictedToken: all but the right to pass through folders
)

// lockdown makes a token that opens nothing: every group and the user only count
// where they are denied something, and what is left may do no more than the SID of
// nobody, whom no system grants anything. A process cannot even load its libraries
// with it, so its first thread starts with a token that may as much as the
// starter, and puts that off in enter. This is how browsers shut in what draws
// their pages.
func lockdown() (primary, first windows.Token, err error) {
	own, all, err := ownSIDs()
	if err != nil {
		return 0, 0, err
	}
	defer own.Close()
	nobody, err1 := windows.StringToSid(nullSID)
	restricted, err2 := windows.StringToSid(restrictedSID)
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, err
	}
	if primary, err = restrict(own, all, []windows.SIDAndAttributes{{Sid: nobody}}); err != nil {
		return 0, 0, err
	}
	// a process that is restricted lets its threads have restricted tokens only
	same, err := restrict(own, nil, append(all, windows.SIDAndAttributes{Sid: restricted}))
	if err == nil {
		err = windows.DuplicateTokenEx(same, windows.TOKEN_IMPERSONATE|windows.TOKEN_QUERY, nil, windows.SecurityImpersonation, windows.TokenImpersonation, &first)
		same.Close()
	}
	if err != nil {
		primary.Close()
		return 0, 0, err
	}
	return primary, first, nil
}

// denied makes a token without privileges that may what every user may: other
// groups, as that of administrators, only count where they are denied something.
func denied() (primary, first windows.Token, err error) {
	own, all, err := ownSIDs()
	if err != nil {
		return 0, 0, err
	}
	defer own.Close()
	var mighty []windows.SIDAndAttributes
	for i, s := range all {
		switch name := s.Sid.String(); {
		case name == "S-1-1-0", name == "S-1-5-11", name == "S-1-5-32-545": // everybody, who logged in, users
		case i == len(all)-1 && name != systemSID: // the user
		default:
			mighty = append(mighty, s)
		}
	}
	primary, err = restrict(own, mighty, nil)
	return primary, 0, err
}

// ownSIDs gives the token of this process, and whom it stands for: the groups,
// then the user.
func ownSIDs() (windows.Token, []windows.SIDAndAttributes, error) {
	own, err := ownToken(windows.TOKEN_QUERY | windows.TOKEN_DUPLICATE | windows.TOKEN_ASSIGN_PRIMARY | windows.TOKEN_ADJUST_DEFAULT)
	if err != nil {
		return 0, nil, err
	}
	groups, err1 := own.GetTokenGroups()
	user, err2 := own.GetTokenUser()
	if err := errors.Join(err1, err2); err != nil {
		own.Close()
		return 0, nil, err
	}
	var all []windows.SIDAndAttributes
	for _, g := range groups.AllGroups() {
		if g.Attributes&(windows.SE_GROUP_INTEGRITY|windows.SE_GROUP_LOGON_ID) == 0 { // these no token goes without
			all = append(all, windows.SIDAndAttributes{Sid: g.Sid})
		}
	}
	return own, append(all, windows.SIDAndAttributes{Sid: user.User.Sid}), nil
}

// restrict makes a weaker token of one: deny are the SIDs that only count against
// it, and without only what these are granted too is.
func restrict(from windows.Token, deny, within []windows.SIDAndAttributes) (windows.Token, error) {
	call := windows.NewLazySystemDLL("advapi32.dll").NewProc("CreateRestrictedToken")
	if err := call.Find(); err != nil {
		return 0, err
	}
	var made windows.Token
	ok, _, err := call.Call(uintptr(from), disableMaxPrivilege, uintptr(len(deny)), uintptr(unsafe.Pointer(unsafe.SliceData(deny))),
		0, 0, uintptr(len(within)), uintptr(unsafe.Pointer(unsafe.SliceData(within))), uintptr(unsafe.Pointer(&made)))
	if ok == 0 {
		return 0, fmt.Errorf("make a restricted token: %w", err)
	}
	return made, nil
}

// containerName is that of the AppContainer, which leaves nothing on the machine:
// it has no profile.
const containerName = "meetguard.inspection"

// securityCapabilities is SECURITY_CAPABILITIES (winnt.h): who the container is,
// and what it may beyond nothing.
type securityCapabilities struct {
	container    *windows.SID
	capabilities *windows.SIDAndAttributes
	count        uint32
	_            uint32
}

func containerSID() (*windows.SID, error) {
	call := windows.NewLazySystemDLL("userenv.dll").NewProc("DeriveAppContainerSidFromAppContainerName")
	if err := call.Find(); err != nil {
		return nil, err
	}
	name, err := windows.UTF16PtrFromString(containerName)
	if err != nil {
		return nil, err
	}
	var sid *windows.SID
	if status, _, _ := call.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&sid))); status != 0 || sid == nil {
		return nil, fmt.Errorf("name an AppContainer: 0x%x", uint32(status))
	}
	return sid, nil // a few bytes, once for each try
}

func ownToken(rights uint32) (windows.Token, error) {
	var t windows.Token
	err := windows.OpenProcessToken(windows.CurrentProcess(), rights, &t)
	return t, err
}

// kind says what the token of this process is, as the system tells: a part of the
// Level, or "" for none.
func kind(t windows.Token) string {
	const isAppContainer = 29 // of TOKEN_INFORMATION_CLASS (winnt.h)
	if buf, err := tokenInfo(t, isAppContainer); err == nil && uint32(buf[0]) != 0 {
		return partContainer
	}
	if buf, err := tokenInfo(t, windows.TokenRestrictedSids); err == nil {
		within := (*windows.Tokengroups)(unsafe.Pointer(&buf[0])).AllGroups()
		if len(within) == 1 && within[0].Sid.String() == nullSID {
			return partLockdown
		}
	}
	if buf, err := tokenInfo(t, windows.TokenHasRestrictions); err == nil && uint32(buf[0]) != 0 {
		if groups, err := t.GetTokenGroups(); err == nil && !strong(groups.AllGroups()) {
			return partRestricted
		}
	}
	return ""
}

// strong says whether the rights of administrators count for a token.
func strong(groups []windows.SIDAndAttributes) bool {
	for _, g := range groups {
		if g.Attributes&windows.SE_GROUP_ENABLED != 0 && g.Sid.String() == adminsSID {
			return true
		}
	}
	return false
}
