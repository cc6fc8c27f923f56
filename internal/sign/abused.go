package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxAbused bounds a list of abused certificates. The largest public one has
// about three thousand entries.
const maxAbused = 1 << 18 // entries

// abusedList knows certificates that were used to sign malicious software.
type abusedList struct {
	bySerial map[string][]abusedCert // serial in hexadecimal as in Signature.Serial
}

type abusedCert struct {
	issuer string // common name, or the whole name if it has an equals sign
	about  string
}

// AddAbused adds a list of abused certificates: comma-separated values with a
// header line that names the columns issuer and serial, and optionally reason
// and source, in any order; further columns are ignored, and lines that begin
// with # are comments.
//
//   - issuer is the common name of the issuer of the certificate, or its whole
//     name in the form of RFC 2253 ("CN=…,O=…,C=…"); it is compared exactly
//   - serial is hexadecimal; colons, blanks, case and leading zeros do not count
//
// A leaf that stands on the list makes an intact signature ChainRevoked, and
// Signature.Abused tells reason and source for every signature that names it.
// The list says nothing of when the abuse began: what its owner signed before
// is revoked with the rest. An error names the line, and then nothing of data
// was added. AddAbused must not run beside Verify.
func (v *Verifier) AddAbused(data []byte) error {
	list := v.authenticode.abused
	added, err := parseAbused(data)
	if err != nil {
		return fmt.Errorf("read abused certificates: %w", err)
	}
	if list.bySerial == nil {
		list.bySerial = map[string][]abusedCert{}
	}
	for serial, certs := range added {
		list.bySerial[serial] = append(list.bySerial[serial], certs...)
	}
	return nil
}

func parseAbused(data []byte) (map[string][]abusedCert, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the list is not UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	r.Comment, r.TrimLeadingSpace = '#', true
	head, err := r.Read()
	if err == io.EOF {
		return nil, errors.New("the list has no header line")
	}
	if err != nil {
		return nil, err
	}
	columns, err := columnsOf(head)
	if err != nil {
		return nil, err
	}
	all := map[string][]abusedCert{}
	for n := 0; ; n++ {
		row, err := r.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err // it names the line
		}
		line, _ := r.FieldPos(0)
		if n >= maxAbused {
			return nil, fmt.Errorf("line %d: more than %d entries", line, maxAbused)
		}
		serial, cert, err := columns.read(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		all[serial] = append(all[serial], cert)
	}
}

// abusedColumns is where the columns stand; -1 if there is none.
type abusedColumns struct{ issuer, serial, reason, source int }

func columnsOf(head []string) (abusedColumns, error) {
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
	}
	c := abusedColumns{slices.Index(head, "issuer"), slices.Index(head, "serial"),
		slices.Index(head, "reason"), slices.Index(head, "source")}
	if c.issuer < 0 || c.serial < 0 {
		return c, errors.New("line 1: the columns issuer and serial are needed")
	}
	return c, nil
}

func (c abusedColumns) read(row []string) (serial string, cert abusedCert, err error) {
	cert.issuer = strings.TrimSpace(row[c.issuer])
	if cert.issuer == "" {
		return "", cert, errors.New("the issuer is empty")
	}
	if serial, err = normalSerial(row[c.serial]); err != nil {
		return "", cert, err
	}
	cert.about = "listed as abused"
	if c.reason >= 0 && strings.TrimSpace(row[c.reason]) != "" {
		cert.about = clean(strings.TrimSpace(row[c.reason]))
	}
	if c.source >= 0 && strings.TrimSpace(row[c.source]) != "" {
		cert.about += " (" + clean(strings.TrimSpace(row[c.source])) + ")"
	}
	return serial, cert, nil
}

// normalSerial gives a serial number the form of Signature.Serial.
func normalSerial(text string) (string, error) {
	digits := strings.NewReplacer(":", "", " ", "").Replace(strings.TrimSpace(text))
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok || n.Sign() <= 0 || n.BitLen() > 20*8 { // RFC 5280, 4.1.2.2
		return "", fmt.Errorf("the serial %q is no hexadecimal number of at most 20 bytes", clean(text))
	}
	return serialText(n), nil
}

// about returns what the list says of a certificate, "" if nothing.
func (l *abusedList) about(c *x509.Certificate) string {
	for _, a := range l.bySerial[serialText(c.SerialNumber)] {
		name := c.Issuer.CommonName
		if strings.Contains(a.issuer, "=") {
			name = c.Issuer.String()
		}
		if a.issuer == name {
			return a.about
		}
	}
	return ""
}
