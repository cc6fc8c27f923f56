package device

import (
	"context"
	"testing"
	"time"
)

func TestEnrolAndDeliver(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	mustBeat(t, d)
	mustBeat(t, d)
	batches := f.took("/v1/agent/batch")
	id := kept(t, d)
	if len(batches) != 2 || batches[0].uid != id.AgentUID || id.AgentUID == "" {
		t.Fatalf("%d batches, of %q; the identity is %q", len(batches), batches[0].uid, id.AgentUID)
	}
	if h := batches[0].header; h.Get("Authorization")+h.Get("X-MG-Certificate") != "" {
		t.Error("the bearer went over a connection that needs none")
	}
	if s := d.Health(); s.State != "ok" {
		t.Errorf("%+v", s)
	}
}

func TestRenewal(t *testing.T) {
	f := newFake(t)
	d := enrolled(t, f)
	mustBeat(t, d)
	first := kept(t, d)
	f.clock.add(50 * 24 * time.Hour)
	mustBeat(t, d)
	if n := len(f.took("/v1/agent/renew")); n != 0 {
		t.Fatalf("renewed %d times after 50 days", n)
	}
	f.clock.add(16 * 24 * time.Hour)
	mustBeat(t, d)
	mustBeat(t, d)
	id := kept(t, d)
	if n := len(f.took("/v1/agent/renew")); n != 1 {
		t.Fatalf("renewed %d times after 66 days", n)
	}
	if id.Next != nil || id.Current.Key == first.Current.Key || id.AgentUID != first.AgentUID || id.Bearer != first.Bearer {
		t.Errorf("after the renewal: %+v, before: %+v", id, first)
	}
	_ = context.Background
}
