package detect

import "maps"

// ClaimRules shows the tests which rules a friend can allow.
func ClaimRules() []string {
	var ids []string
	for id := range maps.Keys(claimRules) {
		ids = append(ids, id)
	}
	return ids
}
