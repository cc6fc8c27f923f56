package unpack

import (
	"bytes"
	"io"
	"strings"
)

// textMember is a member of which the text is at hand, and counted already.
func textMember(name, role, text string) Member {
	return Member{
		Name: name, Role: role, Size: int64(len(text)),
		Open: func() (io.Reader, error) { return strings.NewReader(text), nil },
		Head: func() []byte { return []byte(text[:min(len(text), maxHead)]) },
	}
}

// sliceMember is a member that lies in the container as it is.
func sliceMember(name, role string, data []byte, opt Options) Member {
	return Member{
		Name: name, Role: role, Size: int64(len(data)),
		Open: func() (io.Reader, error) { return opt.Budget.Reader(bytes.NewReader(data)), nil },
		Head: func() []byte { return data[:min(len(data), maxHead)] },
	}
}

// maxHead is how many bytes Member.Head gives.
const maxHead = 4096

// visitText counts a text and visits it. An empty one is no member.
func visitText(name, role, text string, opt Options, visit Visit) error {
	if text == "" {
		return nil
	}
	if err := opt.Budget.Entry(); err != nil {
		return err
	}
	if err := opt.Budget.Spend(int64(len(text))); err != nil {
		return err
	}
	return visit(textMember(name, role, text))
}

// visitSlice visits a part of the container as it is.
func visitSlice(name, role string, data []byte, opt Options, visit Visit) error {
	if err := opt.Budget.Entry(); err != nil {
		return err
	}
	return visit(sliceMember(name, role, data, opt))
}
