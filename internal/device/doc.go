// Package device is who this agent is: its key, its certificate, how it came by
// them, and the HTTP client that proves it to the collector.
//
// What the agent and the collector say to each other follows. The collector's
// side of it is internal/pki; neither imports the other.
//
// # Token
//
// One word, made by the collector, given to the agent:
//
//	mgenroll_SECRET_PIN     with the pin of the collector's CA
//	mgenroll_SECRET         without: trust comes from collector_ca
//
// SECRET is 20 random bytes and PIN the first 20 bytes of the SHA-256 of the
// CA's SubjectPublicKeyInfo, each as 32 letters of base32 (RFC 4648) in lower
// case. The collector keeps the SHA-256 of the 32 letters of SECRET, in
// hexadecimal, and nothing else of it. PIN is no secret.
//
// # TLS
//
// TLS 1.3 only. The collector sends its leaf and the CA behind it. On enrolment
// the agent takes the one certificate of that chain that has the pin as its only
// root, and verifies the chain, the times, the name and serverAuth against it;
// from then on the roots are the "ca" of the last answer. Nothing is trusted on
// first use. The collector asks for a client certificate and verifies it in the
// handler, so that an expired one can still be renewed.
//
// With collector_ca set (a network that opens TLS) the roots are the system's
// or those of that file, and the device proves itself in headers instead:
//
//	Authorization:     Bearer BEARER
//	X-MG-Certificate:  base64 of the DER of the device's certificate
//	X-MG-Date:         seconds since 1970
//	X-MG-Signature:    base64 of the signature, by the key of that certificate
//
// over the text (lines end with \n, the last one too)
//
//	meetguard request v1
//	METHOD
//	path of the request, escaped as sent, with no query
//	X-MG-Date as sent
//	SHA-256 of the body as sent (packed), hexadecimal, lower case
//
// ECDSA P-256 signs the SHA-256 of it (ASN.1 form), Ed25519 the text itself. The
// certificate is verified as one from the handshake is; bearer, certificate and
// signature must all belong to one agent. The date may be five minutes off.
//
// # POST /v1/agent/enroll
//
// Needs no client certificate; one that is sent does not count. Plain JSON.
//
//	{"token": "SECRET",                 the 32 letters, without prefix and pin
//	 "csr": "-----BEGIN CERTIFICATE REQUEST-----…",
//	 "agent": {"uid","hostname","os","version","rules_version"},   labels
//	 "machine_id": "64 hex", "boot_id": "64 hex"}                  "" if unknown
//
// Answer 200:
//
//	{"agent_uid": "…",                  1 to 64 of A-Z a-z 0-9 . _ -
//	 "certificate": "PEM",              the device's, 90 days; CN = agent_uid,
//	                                    URI SAN urn:meetguard:agent:agent_uid
//	 "ca": "PEM",                       roots for the collector from now on
//	 "bearer": "…",                     64 hexadecimal digits; kept hashed (SHA-256 of the text)
//	 "next_checkin_s": 60}
//
// Of the CSR only the key counts (ECDSA P-256 or Ed25519). The agent keeps its
// key until an answer came, so the same token with the same key is one enrolment
// that is tried again: it gets the same agent_uid (pki.DeviceUID derives it from
// the key) and spends no further use.
//
// # POST /v1/agent/renew
//
// As the agent: client certificate, which may have expired, or the headers above.
//
//	{"csr": "PEM", "machine_id": "64 hex", "boot_id": "64 hex"}
//
// Answer 200 as for enroll; "bearer" may be absent, then the old one stays. It is
// a new key each time. The old certificate counts until it expires: the agent
// goes back to it if the new one is refused, and forgets it once the new one was
// accepted.
//
// # POST /v1/agent/batch
//
// Body packed with gzip:
//
//	{"agent": {…as above},              uid is a label, the certificate says who it is
//	 "heartbeat": {                     absent in a request that only has alerts
//	   "time": 1763806000000,           ms since 1970
//	   "seq": 17, "head": "64 hex",     newest line of the log, its SHA-256
//	   "settled": 15,                   every line up to it was answered for, or dropped
//	   "interval_s": 60,                the next heartbeat follows after that, at most a tenth later
//	   "stopping": true,                a clean stop: silence follows (absent otherwise)
//	   "machine_id": "64 hex", "boot_id": "64 hex",
//	   "spool": {"created","acked","pending","dropped":{}},
//	   "status": {"sources":[{"name","state","detail"}],"rules":{},"counters":{},…}},
//	 "alerts": [ lines of the log, byte by byte ]}
//
// Answer 200: {"results":[{"uid","status","reason"}],"next_checkin_s":60}. A
// device that enrols again is another agent_uid whose log does not begin at 1.
//
// # Refusals
//
// application/problem+json with a "code" that the agent understands:
//
//	401 token        the token is unknown, spent, expired or revoked (enroll)
//	401 unknown      no valid certificate or bearer of an agent that exists
//	401 expired      the certificate has expired: only renew takes it
//	401 clock        X-MG-Date is too far off; the Date header is the collector's time
//	401 enroll_again this identity counts no more (revoked, cloned): enrol again
//	403 suspended    known and refused for now
//	413              too large: the next batch has half as many alerts
//	429, 503         later; Retry-After is obeyed up to an hour
//
// No refusal makes an agent forget its identity, its log or its cursor: after
// 401 and 403 it tries again later and later, at last hourly, and its status
// says why. Only enroll_again makes it enrol by itself, if enroll_token_file
// names a token, and the new identity replaces the old one only when it is there.
package device
