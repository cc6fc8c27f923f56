package opinion

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"meetguard"
)

// maxOutput bounds what is read of a tool's output, in bytes.
const maxOutput = 64 << 10

// system asks codesign and, if wanted, spctl, by their absolute paths and
// without the environment of this process.
func (a *Asker) system(ctx context.Context, name string, format meetguard.Format) ([]meetguard.OSVerdict, error) {
	text, code, err := run(ctx, "/usr/bin/codesign", codesignArgs(name)...)
	if err != nil {
		return nil, fmt.Errorf("ask codesign: %w", err)
	}
	out := []meetguard.OSVerdict{readCodesign(name, text, code)}
	if !a.opts.Gatekeeper {
		return out, nil
	}
	text, code, err = run(ctx, "/usr/sbin/spctl", spctlArgs(name, format)...)
	if err != nil {
		return nil, fmt.Errorf("ask spctl: %w", err)
	}
	return append(out, readSpctl(name, text, code)), nil
}

// run gives what a tool printed and its exit code. The error is that of a tool
// that did not run to its end.
func run(ctx context.Context, tool string, args ...string) (string, int, error) {
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second // for what the tool started and left behind
	out := &head{}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		err = nil
	}
	return out.String(), cmd.ProcessState.ExitCode(), err
}

// head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(b []byte) (int, error) {
	if left := maxOutput - h.Len(); left > 0 {
		h.Buffer.Write(b[:min(left, len(b))])
	}
	return len(b), nil
}
