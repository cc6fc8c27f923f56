package exits

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// tlsConfig makes the configuration of a client. TLS 1.2 is the least, because
// many receivers are old; Go takes 1.3 where the other side can.
func (c Config) tlsConfig() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("read ca_file: there is no certificate in it")
		}
	}
	if c.CertFile != "" {
		if _, err := c.clientCertificate(nil); err != nil {
			return nil, err
		}
		out.GetClientCertificate = c.clientCertificate
	}
	return out, nil
}

// clientCertificate reads the certificate for every handshake, so that it can
// be renewed while the collector runs.
func (c Config) clientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read cert_file and key_file: %w", err)
	}
	return &cert, nil
}
