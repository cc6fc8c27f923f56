package device

import (
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

// proxies says which proxy a request takes: those of the environment if it names
// any, and else the system's. A service seldom has the first.
type proxies struct {
	environment func(*url.URL) (*url.URL, error) // nil if it names none for https
	system      proxyRules
}

func findProxies() proxies {
	if env := httpproxy.FromEnvironment(); env.HTTPSProxy != "" {
		return proxies{environment: env.ProxyFunc()}
	}
	return proxies{system: systemProxies()}
}

// choose is http.Transport's Proxy. This machine itself is never asked through
// another one.
func (p proxies) choose(r *http.Request) (*url.URL, error) {
	if p.environment != nil {
		return p.environment(r.URL)
	}
	if r.URL.Scheme != "https" {
		return nil, nil
	}
	return p.system.url(r.URL.Hostname()), nil
}
