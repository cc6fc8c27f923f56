package detect

import "fmt"

// pageConsole: code that a reader pastes into the developer tools acts in the
// reader's name. Browsers warn of it; no room needs it.
func pageConsole(s *subject) string {
	if !s.trait("page-console") {
		return ""
	}
	return "It has its reader paste code into the developer tools of the browser" + s.fromHosts() + "."
}

// pageOpens: a page or link that hands an address or a script straight to an
// installer, a script editor or a document.
func pageOpens(s *subject) string {
	if !s.trait("opens-handler") || s.hostsOfficial() {
		return ""
	}
	return "It has an installer, an editor of scripts or an Office program open what lies" + s.fromHosts() + ", past the download of the browser."
}

// pageDrops: a page in the name of a brand, or about a meeting, has a program
// downloaded without being asked, from no brand's host; or it makes the program
// out of its own text.
func pageDrops(s *subject) string {
	switch {
	case s.trait("hands-program"):
		return "The page makes a program out of its own text and hands it out as a download."
	case !s.trait("drops-program") || s.stranger() == "" || !s.story():
		return ""
	}
	return fmt.Sprintf("It speaks of a meeting and has a program downloaded by itself from %s.", clip(s.stranger()))
}

// logins are where many houses have their people sign in.
var logins = []string{"okta.com", "oktapreview.com", "microsoftonline.com", "live.com", "google.com", "auth0.com", "onelogin.com", "duosecurity.com", "pingidentity.com", "pingone.com", "jumpcloud.com", "apple.com", "github.com"}

// pageLogin: the sign-in of a brand whose password goes to a stranger.
func pageLogin(s *subject) string {
	if !s.trait("sends-login") || s.claim == nil || s.stranger() == "" || below(s.stranger(), logins) {
		return ""
	}
	return fmt.Sprintf("It looks like the sign-in of %s (%s), and the password goes to %s.", s.claim.brand.Name, s.claim.shown(), clip(s.stranger()))
}

// pageCode: whoever enters the code signs in the device of somebody else. An
// honest panel leads to the brand's own page and to no other.
func pageCode(s *subject) string {
	if !s.trait("device-code") || s.claim == nil || s.stranger() == "" || below(s.stranger(), logins) {
		return ""
	}
	return fmt.Sprintf("It speaks for %s, has its reader enter a code that signs in another device, and talks to %s.", s.claim.brand.Name, clip(s.stranger()))
}

// pageWallet: no call needs a wallet.
func pageWallet(s *subject) string {
	if !s.trait("asks-wallet") || !s.story() {
		return ""
	}
	return "For the sake of a call it has a wallet sign or send something" + s.fromHosts() + "."
}
