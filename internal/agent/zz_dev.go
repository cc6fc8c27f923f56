package agent

import (
	"bufio"
	"io"
	"slices"
	"sync"
	"time"

	"meetguard"
	"meetguard/internal/chain"
)

var zzCache sync.Map

// ZZReplay is Replay without a worker. Not to be committed.
func (in *Inspector) ZZReplay(events io.Reader, tell func(LaunchUnit)) {
	track := chain.New()
	ex := &Examiner{}
	lines := bufio.NewReaderSize(events, 64<<10)
	for {
		line, err := readLine(lines)
		if err != nil {
			return
		}
		p, err := readEvent(line)
		if err != nil {
			panic(err)
		}
		track.Ancestry(p)
		f := recorded(p)
		if text, shell := commandText(f.Process); worthReading(text) {
			var facts meetguard.Facts
			if v, ok := zzCache.Load(shell + "\x00" + text); ok {
				facts = v.(meetguard.Facts)
			} else {
				facts = ex.command(request{Op: opCommand, Command: clipText(text, maxRequestText), Shell: shell})
				zzCache.Store(shell+"\x00"+text, facts)
			}
			f.Script = facts.Script
			f.Claims = slices.Clip(f.Claims)
			for _, c := range facts.Claims {
				if c.Source == meetguard.ClaimBanner {
					f.Claims = append(f.Claims, c)
				}
			}
		}
		track.Add(&f)
		in.matchLaunch(&f)
		v := in.judge.JudgeOn(f, time.Now().UTC().Format(time.DateOnly))
		if v.Level != meetguard.Clean {
			tell(newLaunchUnit(f, v))
		}
	}
}
