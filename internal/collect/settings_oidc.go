package collect

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"meetguard/internal/people"
)

// OIDCSettings is log-in by an identity provider.
type OIDCSettings struct {
	Issuer           string     `yaml:"issuer"`
	ClientID         string     `yaml:"client_id"`
	ClientSecretFile string     `yaml:"client_secret_file"` // "" for a public client
	Scopes           []string   `yaml:"scopes"`             // besides openid and profile
	GroupClaim       string     `yaml:"group_claim"`        // default groups
	Roles            []OIDCRole `yaml:"roles"`              // the first one that meets a person counts
}

// OIDCRole gives people of a group of the provider a role.
type OIDCRole struct {
	Group  string   `yaml:"group"`  // at the provider, "" meets everybody
	Role   string   `yaml:"role"`   // viewer, analyst, fleet-admin or admin
	Agents []string `yaml:"agents"` // groups of agents that they are limited to; empty for all
}

func (o *OIDCSettings) validate() error {
	var all []error
	if o.Issuer == "" || o.ClientID == "" {
		all = append(all, errors.New("oidc: issuer and client_id are needed"))
	}
	if len(o.Roles) == 0 {
		all = append(all, errors.New("oidc: roles must give somebody a role"))
	}
	for _, r := range o.Roles {
		if _, err := people.ParseRole(r.Role); err != nil {
			all = append(all, fmt.Errorf("oidc: role %q: %w", r.Role, err))
		}
	}
	return errors.Join(all...)
}

// config reads the secret and names the address that the provider sends people
// back to.
func (o *OIDCSettings) config(publicURL string) (*people.OIDCConfig, error) {
	c := &people.OIDCConfig{Issuer: o.Issuer, ClientID: o.ClientID, RedirectURL: strings.TrimRight(publicURL, "/") + "/v1/oidc/callback",
		Scopes: o.Scopes, GroupClaim: o.GroupClaim}
	if c.GroupClaim == "" {
		c.GroupClaim = "groups"
	}
	if o.ClientSecretFile != "" {
		secret, err := os.ReadFile(o.ClientSecretFile)
		if err != nil {
			return nil, fmt.Errorf("oidc: read client_secret_file: %w", err)
		}
		c.ClientSecret = strings.TrimSpace(string(secret))
	}
	for _, r := range o.Roles {
		c.Rules = append(c.Rules, people.GroupRule{Group: r.Group, Role: people.Role(r.Role), Groups: r.Agents})
	}
	return c, nil
}
