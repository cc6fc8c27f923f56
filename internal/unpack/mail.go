package unpack

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"path"
	"strings"
)

const (
	mailHeaderBytes = 64 << 10 // of one header; what is longer is no mail
	maxMailDepth    = 6        // mails and multiparts inside one another
)

// WalkMail visits the attachments of a mail (RFC 5322, MIME), those of mails
// inside it too. Bodies in HTML and invitations are visited as files of their
// own, for they hold links; a body of plain text is not. A mail without MIME
// has no members.
func WalkMail(data []byte, opt Options, visit Visit) error {
	w := mailWalk{opt: opt, visit: visit}
	return w.mail(data, 0)
}

type mailWalk struct {
	opt   Options
	visit Visit
	parts int
}

// mail reads the header of a mail and what it says of the body.
func (w *mailWalk) mail(data []byte, depth int) error {
	head, body, err := splitMail(data)
	if err != nil {
		return err
	}
	return w.part(head, body, depth)
}

// splitMail separates header and body. The line of a mailbox or the byte count
// of Apple Mail before the header is passed over.
func splitMail(data []byte) (textproto.MIMEHeader, []byte, error) {
	if line, rest, ok := bytes.Cut(data[:min(len(data), 512)], []byte("\n")); ok {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("From ")) || len(line) > 0 && len(bytes.Trim(line, "0123456789")) == 0 {
			data = data[min(len(data), 512)-len(rest):]
		}
	}
	head := textproto.MIMEHeader{}
	last := ""
	for size := 0; len(data) > 0; {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if size += len(line) + 1; size > mailHeaderBytes {
			return nil, nil, errors.New("the header of the mail is too long")
		}
		data = rest
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if values := head[last]; len(values) > 0 {
				values[len(values)-1] += " " + strings.TrimSpace(string(line))
			}
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok {
			return nil, nil, errors.New("the header of the mail is broken")
		}
		last = textproto.CanonicalMIMEHeaderKey(name)
		head[last] = append(head[last], strings.TrimSpace(value))
	}
	return head, data, nil
}

// part visits one MIME entity, or what it consists of.
func (w *mailWalk) part(head textproto.MIMEHeader, body []byte, depth int) error {
	if depth > maxMailDepth {
		return &LimitError{"mails are nested deeper than is looked at"}
	}
	media, params, err := mime.ParseMediaType(head.Get("Content-Type"))
	if err != nil && media == "" {
		media = "text/plain"
	}
	switch {
	case strings.HasPrefix(media, "multipart/"):
		return w.multipart(params["boundary"], body, depth)
	case media == "message/rfc822":
		inner, err := io.ReadAll(w.opt.Budget.Reader(partReader(head, body)))
		if err != nil {
			return fmt.Errorf("read a mail inside the mail: %w", err)
		}
		return w.mail(inner, depth+1)
	}
	return w.file(media, params, head, body)
}

func (w *mailWalk) multipart(boundary string, body []byte, depth int) error {
	if boundary == "" {
		return errors.New("the parts of the mail have no boundary")
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the parts of the mail: %w", err)
		}
		if err := w.opt.Budget.Entry(); err != nil {
			return err
		}
		inner, err := io.ReadAll(w.opt.Budget.Reader(p))
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // a part that is cut off is still a part
			return fmt.Errorf("read a part of the mail: %w", err)
		}
		if err := w.part(p.Header, inner, depth+1); err != nil {
			return err
		}
	}
}

// file visits a part that is a file, or that is worth one.
func (w *mailWalk) file(media string, params map[string]string, head textproto.MIMEHeader, body []byte) error {
	name := attachmentName(params, head)
	w.parts++
	switch {
	case name != "":
	case media == "text/html":
		name = fmt.Sprintf("body-%d.html", w.parts)
	case media == "text/calendar":
		name = fmt.Sprintf("invitation-%d.ics", w.parts)
	case strings.HasPrefix(media, "text/"):
		return nil
	default:
		name = fmt.Sprintf("attachment-%d", w.parts)
	}
	return w.visit(Member{Name: name, Size: -1, Role: RoleAttach, Open: func() (io.Reader, error) {
		return w.opt.Budget.Reader(partReader(head, body)), nil
	}})
}

// attachmentName is the name that a part is saved under, without folders.
func attachmentName(params map[string]string, head textproto.MIMEHeader) string {
	_, disposition, err := mime.ParseMediaType(head.Get("Content-Disposition"))
	name := ""
	if err == nil {
		name = disposition["filename"]
	}
	if name == "" {
		name = params["name"]
	}
	if plain, err := new(mime.WordDecoder).DecodeHeader(name); err == nil {
		name = plain
	}
	if name = strings.ReplaceAll(name, `\`, "/"); name == "" {
		return ""
	}
	if name = path.Base(name); strings.Trim(name, "./") == "" {
		return "attachment"
	}
	return name
}

// partReader undoes the transfer encoding of a part.
func partReader(head textproto.MIMEHeader, body []byte) io.Reader {
	switch strings.ToLower(strings.TrimSpace(head.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body))
	case "quoted-printable":
		return quotedprintable.NewReader(bytes.NewReader(body))
	}
	return bytes.NewReader(body)
}
