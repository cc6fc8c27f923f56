// Package pki is the collector's certificate authority: it makes and keeps the
// CA, issues the collector's own server certificate and those of devices, says
// who a client is, and writes the tokens that devices enrol with. What agent and
// collector say to each other is written down in internal/device.
//
// Revocation is not here: the collector asks its store for every request whether
// the certificate that pki found valid still counts.
package pki
