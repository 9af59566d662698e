package store

import (
	"os"
	"sync"
	"testing"

	"github.com/netconnectd/netconnectd/internal/wifi"
)

func TestReadersGetCopies(t *testing.T) {
	s, _ := saved(t, home)
	must(t, s.SetCandidate(open))
	s.Networks()[0].SSID[0] = 'X'
	c, _ := s.Candidate()
	c.SSID[0] = 'X'
	wantContents(t, s, &open, home)

	ssid := []byte("mine")
	must(t, s.SetCandidate(Network{Network: wifi.Network{SSID: ssid}}))
	ssid[0] = 'X'
	wantContents(t, s, &Network{Network: wifi.Network{SSID: []byte("mine")}}, home)
}

func TestChangesLeaveWhatReadersHold(t *testing.T) {
	s, _ := saved(t, home)
	held := s.now()
	must(t, s.Worked(home.SSID, wifi.Association{Frequency: 5180}, when))
	if held.networks[0].Frequency != home.Frequency {
		t.Error("contents changed after they were published")
	}
}

func TestReadsDoNotWaitForTheDisk(t *testing.T) {
	s, _ := saved(t, home)
	writing, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once // the first write is the file, the second its copy
	write := s.write
	s.write = func(path string, data []byte, perm os.FileMode) error {
		once.Do(func() { close(writing) })
		<-finish
		return write(path, data, perm)
	}
	done := make(chan error)
	go func() { done <- s.SetCandidate(open) }()
	<-writing
	wantContents(t, s, &open, home) // these reads would block until the test's deadline
	close(finish)
	must(t, <-done)
}
