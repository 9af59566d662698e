package resolver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const before = "nameserver 9.9.9.9\n"

// refuseState is a disk that takes nothing for what has to survive a reboot.
func (m *machine) refuseState() {
	m.ok(os.RemoveAll(m.system.StateDir))
	m.write("/state", "")
}

// A full or read-only /var takes neither the name servers nor their end from the
// device.
func TestNameServersWithoutState(t *testing.T) {
	t.Run("by file", func(t *testing.T) {
		m := newMachine(t)
		m.refuseState()
		m.write(systemFile, before)
		for range 2 { // the same network comes back
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("published", ours("wlan0", "10.0.0.1"), m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", before, m.etc())
		}
		if !strings.Contains(m.logged.String(), "after a reboot") {
			t.Errorf("nothing is said: %s", m.logged.String())
		}
	})
	t.Run("by file, of which the disk keeps the record", func(t *testing.T) {
		m := newMachine(t)
		m.write(systemFile, before)
		m.ok(m.publish("wlan0", "10.0.0.1"))
		// A folder that is not empty cannot be removed, as nothing on a read-only disk.
		m.ok(os.Remove(m.system.lastRecord()))
		m.ok(os.MkdirAll(filepath.Join(m.system.lastRecord(), "x"), 0o700))
		m.ok(m.withdraw())
		m.ok(m.publish("wlan0", "10.0.0.1"))
		m.same("published again", ours("wlan0", "10.0.0.1"), m.etc())
	})
	t.Run("by resolvconf", func(t *testing.T) {
		m := newMachine(t)
		m.refuseState()
		m.program("/usr/sbin/resolvconf", "exit 0")
		m.ok(m.publish("wlan0", "10.0.0.1"))
		m.ok(m.withdraw())
		if got := m.diary(); !strings.Contains(got, "resolvconf -a wlan0.netconnectd") || !strings.Contains(got, "resolvconf -d wlan0.netconnectd") {
			t.Error(got)
		}
	})
}

// A reboot empties /run. What a file was before is restored all the same.
func TestFileIsRestoredAfterAReboot(t *testing.T) {
	m := newMachine(t)
	m.write(systemFile, before)
	m.ok(m.publish("wlan0", "10.0.0.1"))
	m.ok(os.RemoveAll(m.system.RunDir))
	m.ok(m.withdraw())
	m.same("withdrawn", before, m.etc())
}

func TestDamagedRecordHeals(t *testing.T) {
	for _, row := range []struct{ name, record string }{
		{"empty", ""},
		{"cut off", `{"method":"file","inter`},
		{"zeros", "\x00\x00\x00"},
		{"no interface", `{"method":"file"}`},
		{"no file", `{"method":"file","interface":"wlan0"}`},
		{"a file that is no path", `{"method":"file","interface":"wlan0","file":{"path":"x"}}`},
		{"a way of a later version", `{"method":"unbound","interface":"wlan0"}`},
		{"another shape", `[]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			m.write(systemFile, before)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			for _, path := range []string{m.system.runRecord(), m.system.lastRecord()} {
				m.ok(os.WriteFile(path, []byte(row.record), 0o600))
			}
			m.ok(m.publish("wlan0", "10.0.0.2"))
			m.same("published", ours("wlan0", "10.0.0.2"), m.etc())
			for _, path := range []string{m.system.runRecord(), m.system.lastRecord()} {
				if kept, err := os.ReadFile(path + ".broken"); err != nil || string(kept) != row.record {
					t.Errorf("kept %q, %v", kept, err)
				}
				if _, err := readRecord(path); err != nil {
					t.Errorf("not healed: %v", err)
				}
			}
			m.ok(m.withdraw())
			m.same("withdrawn", "absent", m.etc()) // what was there before is known no more
		})
	}
}

// Name servers that are no longer published must not stay because the record is
// damaged.
func TestWithdrawWithADamagedRecord(t *testing.T) {
	m := newMachine(t)
	m.ok(m.publish("wlan0", "10.0.0.1"))
	m.write("/state/applied.json", "{")
	m.write("/run/netconnectd-resolv/applied.json", "{")
	m.ok(m.withdraw())
	m.same("withdrawn", "absent", m.etc())
}
