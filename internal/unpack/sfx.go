package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// stubText is a member of which the text is at hand, and counted already.
func stubText(name, role, text string) Member {
	return Member{
		Name: name, Role: role, Size: int64(len(text)),
		Open: func() (io.Reader, error) { return strings.NewReader(text), nil },
		Head: func() []byte { return []byte(text[:min(len(text), maxStubHead)]) },
	}
}

// stubSlice is a member that lies in the container as it is.
func stubSlice(name, role string, data []byte, opt Options) Member {
	return Member{
		Name: name, Role: role, Size: int64(len(data)),
		Open: func() (io.Reader, error) { return opt.Budget.Reader(bytes.NewReader(data)), nil },
		Head: func() []byte { return data[:min(len(data), maxStubHead)] },
	}
}

// maxStubHead is how many bytes Member.Head gives.
const maxStubHead = 4096

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
	return visit(stubText(name, role, text))
}

// visitSlice visits a part of the container as it is.
func visitSlice(name, role string, data []byte, opt Options, visit Visit) error {
	if err := opt.Budget.Entry(); err != nil {
		return err
	}
	return visit(stubSlice(name, role, data, opt))
}

// The configuration of 7-Zip's installer modules (7zS.sfx of the LZMA SDK and
// the modified 7zSD.sfx) stands between these, in UTF-8.
const (
	sevenConfigStart = ";!@Install@!UTF-8!"
	sevenConfigEnd   = ";!@InstallEnd@!"
	maxStubConfig    = 64 << 10
)

// walk7zStub visits what a 7-Zip self-extractor starts, and its archive.
func walk7zStub(p *program, opt Options, visit Visit) error {
	at := bytes.Index(p.overlay[:min(len(p.overlay), maxStubConfig)], []byte(stubMagic7z))
	if at < 0 {
		return fmt.Errorf("the archive of this 7-Zip self-extractor was not found: %w", ErrUnsupported)
	}
	config := string(p.overlay[:at])
	if _, inner, ok := strings.Cut(config, sevenConfigStart); ok {
		inner, _, _ = strings.Cut(inner, sevenConfigEnd)
		if err := visitText("config.cmd", RoleLaunch, sevenCommands(inner), opt, visit); err != nil {
			return err
		}
	}
	return visitSlice("payload.7z", RoleNeeded, p.overlay[at:], opt, visit)
}

// sevenCommands are the command lines of a configuration, one a line.
func sevenCommands(config string) string {
	var out strings.Builder
	for _, pair := range stubPairs(config) {
		switch pair[0] {
		case "RunProgram", "AutoInstall", "ExecuteOnLoad", "ExecuteFile":
			out.WriteString(sevenCommand(pair[1]) + "\n")
		case "ExecuteParameters": // belongs to the ExecuteFile before
			line := strings.TrimSuffix(out.String(), "\n")
			out.Reset()
			out.WriteString(line + " " + pair[1] + "\n")
		}
	}
	return out.String()
}

// sevenCommand is a command line without the prefixes that say how to run it,
// such as hidcon: and nowait:, and with the folder that is unpacked to named by
// the variable of the environment.
func sevenCommand(line string) string {
	for {
		prefix, rest, ok := strings.Cut(line, ":")
		if !ok || len(prefix) < 2 || strings.ContainsAny(prefix, `\/ "%.`) {
			break
		}
		line = rest
	}
	return strings.NewReplacer(`%%T`, `%TEMP%`, `%%S`, `.`).Replace(line)
}

// stubPairs reads lines of the form Key="value", in which a backslash quotes the
// next character and a value may span lines.
func stubPairs(config string) [][2]string {
	var pairs [][2]string
	for {
		key, rest, ok := strings.Cut(config, `="`)
		if !ok {
			return pairs
		}
		if i := strings.LastIndexAny(key, "\r\n"); i >= 0 {
			key = key[i+1:]
		}
		var value strings.Builder
		i := 0
		for ; i < len(rest) && rest[i] != '"'; i++ {
			if rest[i] == '\\' && i+1 < len(rest) && strings.IndexByte(`"\nt`, rest[i+1]) >= 0 {
				i++
				value.WriteString(map[byte]string{'"': `"`, '\\': `\`, 'n': "\n", 't': "\t"}[rest[i]])
				continue
			}
			value.WriteByte(rest[i])
		}
		pairs = append(pairs, [2]string{strings.TrimSpace(key), value.String()})
		config = rest[min(i+1, len(rest)):]
	}
}

// walkRarStub visits what a RAR self-extractor starts, and its archive. What it
// starts stands in the comment of the archive, which WinRAR stores near its
// start; one that is compressed is not read.
func walkRarStub(p *program, opt Options, visit Visit) error {
	at := bytes.Index(p.overlay[:min(len(p.overlay), maxStubConfig)], []byte(stubMagicRar))
	if at < 0 {
		return fmt.Errorf("the archive of this RAR self-extractor was not found: %w", ErrUnsupported)
	}
	archive := p.overlay[at:]
	if err := visitText("setup.cmd", RoleLaunch, rarCommands(archive), opt, visit); err != nil {
		return err
	}
	return visitSlice("payload.rar", RoleNeeded, archive, opt, visit)
}

// rarCommands are the programs that the script of a self-extractor starts: the
// commands Setup and Presetup of WinRAR's manual.
func rarCommands(archive []byte) string {
	var out strings.Builder
	head := archive[:min(len(archive), maxStubConfig)]
	for _, line := range bytes.FieldsFunc(head, func(r rune) bool { return r < ' ' && r != '\t' }) {
		for _, key := range []string{"Presetup=", "Setup="} {
			if _, command, ok := bytes.Cut(line, []byte(key)); ok {
				out.WriteString(strings.ToValidUTF8(string(command), "\uFFFD") + "\n")
				break
			}
		}
	}
	return out.String()
}

// walkIExpress visits the commands and the cabinet of a package made by
// IExpress. Its stub, wextract.exe, finds them among its resources.
func walkIExpress(p *program, opt Options, visit Visit) error {
	for _, name := range []string{"RUNPROGRAM", "POSTRUNPROGRAM", "ADMQCMD", "USRQCMD"} {
		command := untilZero(p.resource(name))
		if command == "<None>" {
			continue
		}
		if err := visitText(name+".cmd", RoleLaunch, command, opt, visit); err != nil {
			return err
		}
	}
	return visitSlice("CABINET.cab", RoleNeeded, p.resource("CABINET"), opt, visit)
}

// untilZero is the text before the first NUL.
func untilZero(b []byte) string {
	b, _, _ = bytes.Cut(b[:min(len(b), maxStubConfig)], []byte{0})
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// burnMagic begins the section .wixburn (WiX Toolset, burn/engine/section.cpp):
// magic, version, bundle id, size of the stub, checksum, offset and size of the
// original signature, format of the containers (1 is a cabinet), how many they
// are, and the size of each. The first lies behind the stub, the others behind
// the original signature.
const burnMagic = 0x00f14300

// walkBurn visits the containers of a WiX bundle. The first holds the manifest
// that says what is started.
func walkBurn(p *program, opt Options, visit Visit) error {
	head := p.burnSection()
	le := binary.LittleEndian
	if len(head) < 52 || le.Uint32(head) != burnMagic || le.Uint32(head[40:]) != 1 {
		return fmt.Errorf("the containers of this WiX bundle were not found: %w", ErrUnsupported)
	}
	stub, signature, signatureSize := uint64(le.Uint32(head[24:])), uint64(le.Uint32(head[32:])), uint64(le.Uint32(head[36:]))
	at := stub
	for i := range min(uint64(le.Uint32(head[44:])), uint64(len(head)-48)/4, 16) {
		size := uint64(le.Uint32(head[48+4*i:]))
		if at+size > uint64(len(p.data)) {
			return errors.New("a container of the WiX bundle is cut short")
		}
		name := fmt.Sprintf("container%d.cab", i)
		if err := visitSlice(name, RoleNeeded, p.data[at:at+size], opt, visit); err != nil {
			return err
		}
		if at += size; i == 0 && signature > 0 {
			at = signature + signatureSize
		}
	}
	return nil
}

func (p *program) burnSection() []byte {
	for _, s := range p.sections {
		if s.name == ".wixburn" {
			return p.at(s.address)
		}
	}
	return nil
}
