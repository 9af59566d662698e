package doctor

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func judgeTool(name string) func(*Facts) []verdict {
	kind := toolKinds[name]
	return func(f *Facts) []verdict {
		t := f.Tools[name]
		need, why := Problem, "netconnectd cannot be an access point without it"
		if name == "wpa_supplicant" {
			why = "netconnectd cannot join networks without it"
			if f.usesManager() {
				why = "NetworkManager cannot join networks without it"
			}
		}
		switch {
		case t.Missing:
			return one(need, t.Path+" is not there", fmt.Sprintf("%s: sudo apt install %s, or name it in paths.%s", why, kind.pkg, name))
		case t.Unseen != "":
			return unseen("the version of "+t.Path, t.Unseen)
		case older(t.Version, kind.oldest):
			return one(Warning, fmt.Sprintf("%s is %s, older than %s", t.Path, t.Version, kind.oldest), kind.why+": upgrade the system")
		}
		return good(t.Path + " is " + t.Version)
	}
}

// capabilities that the daemon needs, by their numbers.
var capabilities = []struct {
	number int
	name   string
}{
	{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {unix.CAP_NET_RAW, "CAP_NET_RAW"}, {unix.CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"},
}

func judgeCapabilities(f *Facts) []verdict {
	d := f.Daemon
	if d.PID == 0 {
		return unseen("the daemon's capabilities", "netconnectd does not run")
	}
	var missing []string
	for _, c := range capabilities {
		if d.Capabilities&(1<<c.number) == 0 {
			missing = append(missing, c.name)
		}
	}
	switch {
	case len(missing) > 0:
		return one(Problem, fmt.Sprintf("netconnectd (pid %d, user %s) lacks %s", d.PID, d.User.Name, strings.Join(missing, ", ")),
			"it can change nothing; start it by systemd: sudo systemctl restart netconnectd. If it is started so, look for CapabilityBoundingSet in: systemctl cat netconnectd")
	case d.User.UID == 0:
		return one(Warning, fmt.Sprintf("netconnectd (pid %d) runs as root", d.PID), "it needs three capabilities only; start it by systemd, as its unit says")
	}
	return good("netconnectd has the capabilities that it needs, as user " + d.User.Name)
}

func judgeGroup(f *Facts) []verdict {
	c := f.Caller
	join := "sudo adduser " + c.Name + " " + changeGroup + ", then log in again"
	switch {
	case f.Settings.Permissions.Change == "everyone":
		return good("everyone may change the network (permissions.change)")
	case !c.GroupIs:
		return one(Warning, "there is no group "+changeGroup, "only root may change the network; reinstall netconnectd's package, or put packaging/sysusers.d/netconnectd.conf into /usr/lib/sysusers.d, then: sudo systemd-sysusers")
	case c.Root, c.Member:
		return good(c.Name + " may change the network")
	case c.Listed:
		return one(Warning, c.Name+" is in the group "+changeGroup+", and this session is older", "log in again, or restart the program that is refused")
	}
	return one(Warning, c.Name+" may look at the network, but not change it", join)
}

// may reports whether the daemon's user has a right to a file: 4 to read, 2 to write,
// 1 to enter.
func (f *Facts) may(file File, right uint32) bool {
	u := f.Daemon.User
	switch {
	case u.UID == 0:
		return true
	case file.UID == u.UID:
		return file.Mode>>6&right == right
	case file.GID == u.GID:
		return file.Mode>>3&right == right
	}
	return file.Mode&right == right
}

func judgeConfigFile(f *Facts) []verdict {
	file := f.Files[fileConfig]
	switch {
	case file.Missing:
		return good(file.Path + " is not there: every setting has its default")
	case file.Unseen != "":
		return unseen(file.Path, file.Unseen)
	case !f.Daemon.User.Exists:
		return f.withoutUser()
	case !f.may(file, 4):
		return one(Problem, fmt.Sprintf("user %s may not read %s", f.Daemon.User.Name, file.Path),
			fmt.Sprintf("netconnectd does not start; sudo chgrp %s %s; sudo chmod 640 %s", daemonName, file.Path, file.Path))
	}
	return good(fmt.Sprintf("user %s may read %s", f.Daemon.User.Name, file.Path))
}

func (f *Facts) withoutUser() []verdict {
	return one(Problem, "there is no user "+daemonName, "netconnectd.service cannot start; reinstall netconnectd's package, or put packaging/sysusers.d/netconnectd.conf into /usr/lib/sysusers.d, then: sudo systemd-sysusers")
}

func judgeRfkillDevice(f *Facts) []verdict {
	file := f.Files[fileRfkill]
	switch {
	case !f.Settings.Wifi.Kill:
		return good("/dev/rfkill is not used (wifi.kill)")
	case file.Missing:
		return one(Warning, file.Path+" is not there", "wifi.kill has no effect: the kernel has no rfkill; try: sudo modprobe rfkill")
	case file.Unseen != "":
		return unseen(file.Path, file.Unseen)
	case !f.Daemon.User.Exists:
		return f.withoutUser()
	case !f.may(file, 2):
		return one(Problem, fmt.Sprintf("user %s may not write to %s", f.Daemon.User.Name, file.Path),
			"wifi.kill has no effect; reinstall netconnectd's package, or put packaging/udev/60-netconnectd-rfkill.rules into /usr/lib/udev/rules.d, then: sudo udevadm control --reload; sudo udevadm trigger /dev/rfkill")
	}
	return good(fmt.Sprintf("user %s may write to %s", f.Daemon.User.Name, file.Path))
}

func judgeRuntimeFolder(f *Facts) []verdict {
	return f.folder(f.Files[fileRuntime], "netconnectd cannot start its programs")
}

func judgeStateFolder(f *Facts) []verdict {
	return f.folder(f.Files[fileState], "networks cannot be saved")
}

func (f *Facts) folder(file File, why string) []verdict {
	switch {
	case file.Unseen != "":
		return unseen(file.Path, file.Unseen)
	case file.Missing && f.Daemon.PID == 0:
		return good(file.Path + " is made when netconnectd starts")
	case file.Missing:
		return one(Problem, file.Path+" is not there", why+"; sudo systemctl restart netconnectd")
	case file.ReadOnly:
		return one(Problem, file.Path+" is on a file system that cannot be written", why+"; mount it writable")
	case !f.Daemon.User.Exists:
		return f.withoutUser()
	case !f.may(file, 3):
		return one(Problem, fmt.Sprintf("user %s may not write to %s", f.Daemon.User.Name, file.Path),
			fmt.Sprintf("%s; sudo chown -R %s: %s", why, f.Daemon.User.Name, file.Path))
	}
	return good(fmt.Sprintf("user %s may write to %s", f.Daemon.User.Name, file.Path))
}

// judgeFilter trusts the daemon's report first, as the daemon has tried to install
// the packet filter.
func judgeFilter(f *Facts) []verdict {
	for _, p := range f.Daemon.Problems {
		if p.Code == "packet_filter" {
			return one(Problem, p.Text+" (as the daemon has seen it)", p.Remedy)
		}
	}
	switch {
	case f.Filter.Missing:
		return one(Problem, "this kernel has no nftables",
			"phones on the access point reach what is behind this device where that forwards, and ap.forwarding_to_wired cannot work; take a kernel with CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and CONFIG_NFT_MASQ. After an upgrade of the kernel: sudo reboot")
	case f.Filter.Unseen != "":
		return unseen("whether the kernel has nftables", f.Filter.Unseen)
	}
	return good("the kernel has nftables")
}

func judgeClock(f *Facts) []verdict {
	now := f.Now.UTC().Format(time.DateTime)
	if f.Now.Before(f.Oldest) {
		return one(Warning, "the clock says "+now+" UTC, which is past", "certificates (802.1X, https) count as not yet valid, and the times of history and logs are wrong; see timedatectl, and whether the device has a battery for its clock")
	}
	return good("the clock says " + now + " UTC")
}

// room is what saving needs: the networks' file is written beside the old one,
// and both are a few KiB.
const room = 1 << 20

func judgeDisk(f *Facts) []verdict {
	d := f.Disk
	switch {
	case d.Unseen != "":
		return unseen("the room for "+d.Path, d.Unseen)
	case d.Free < room:
		return one(Problem, fmt.Sprintf("%d KiB are free for %s", d.Free>>10, d.Path), "networks cannot be saved; make room: df -h "+d.Path+", sudo journalctl --vacuum-size=20M, sudo apt clean")
	case d.Inodes == 0:
		return one(Problem, "there is no room for further files in "+d.Path, "networks cannot be saved; see df -i "+d.Path)
	}
	return good(fmt.Sprintf("%d MiB are free for %s", d.Free>>20, d.Path))
}
