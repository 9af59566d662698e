package doctor

import (
	"net/netip"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Facts are the state of the machine. A field whose name ends in Unseen is the reason
// why the fields before it are not known; it is empty if they are known.
type Facts struct {
	Settings Settings
	Caller   Caller
	Daemon   Daemon
	Units    Units

	Radio     Radio
	Network   Network
	Processes []Process // of the programs that matter here
	Blind     string    // why not all processes of other users are in Processes; "": all are
	Managers  []string  // units of other access point managers that start with the device
	Strangers []Process // known by name only, if Blind: wpa_supplicant and hostapd outside any service
	Sockets   Sockets
	Networkd  string // file of systemd-networkd that matches the radio; "": none does, or it does not run
	Ifupdown  Stanza
	Manager   Manager
	Filter    Filter

	Tools  map[string]Tool
	Files  map[string]File // the files' states, by the constants file…
	Disk   Disk
	Now    time.Time
	Oldest time.Time // a time that has certainly passed
}

// Settings are netconnectd's settings, with defaults in place of wrong ones.
type Settings struct {
	*config.Config
	Problems []config.Problem
	Warnings []config.Problem
	Unseen   string
}

// Caller is the user who runs the doctor.
type Caller struct {
	Name      string
	Root      bool
	GroupIs   bool // the group netconnect exists
	Member    bool // this process is in that group
	Listed    bool // the caller is in that group, from the next login on if not now
	IsService bool // the caller is the daemon's own user
}

// Daemon is netconnectd itself.
type Daemon struct {
	PID          int // 0: does not run
	Capabilities uint64
	Answers      bool
	Silence      string // why the daemon does not answer, or is not asked
	Version      string
	Problems     []client.Problem // that the daemon reports
	User         User
}

// User is the daemon's user: that of its process, or else the user netconnectd.
type User struct {
	Exists   bool
	Name     string
	UID, GID int
}

// Units are the states of netconnectd's units, by their names.
type Units struct {
	Systemd bool
	States  map[string]UnitState
	Unseen  string
}

// UnitState is in the words of systemctl show.
type UnitState struct{ Load, Active, File string }

// Radio is the Wi-Fi interface and its hardware.
type Radio struct {
	Name    string // set even if the interface does not exist
	Present bool
	wifi.Radio
	Driver     string
	Unseen     string
	Soft, Hard bool // blocked by rfkill
	RfkillNote string
	Country    string
}

// Network is the kernel's links and default routes.
type Network struct {
	*link.Snapshot        // nil: not known
	Unseen         string // why
}

// Process is a running program.
type Process struct {
	PID, Parent, UID int // UID -1: not known
	Name             string
	Args             []string
	Unit             string // of systemd, e.g. "dnsmasq.service"
	Ours             bool   // netconnectd has started it
	Reach            Reach
}

// Reach is the interfaces that a program works on.
type Reach struct {
	Interfaces []string
	All        bool // whatever there is
	Unseen     string
}

// Sockets are what listens on the ports of DNS and DHCP.
type Sockets struct {
	KeyUsers []int // UIDs of programs that listen to key exchanges on the radio: as a station or an access point
	List     []Socket
	Unseen   string
}

// Socket is a listening socket.
type Socket struct {
	Protocol string // "udp", "tcp"
	Local    netip.AddrPort
	Device   string // bound to it; "": to none, or not known
	UID      int    // of the user who made the socket
	inode    uint64
	V6Only   bool     // of [::]: not of IPv4 as well
	Holder   *Process // nil: not seen
	Unit     string   // the systemd unit in which it was created; "": none, or unknown

	cgroup uint64
}

// Stanza is what ifupdown would do with the radio.
type Stanza struct {
	File   string // "": no stanza
	Line   int
	Auto   bool // brought up at boot or when it appears
	Method string
	Unseen string // why there may be more
}

// Manager is NetworkManager.
type Manager struct {
	Running     bool
	Managed     bool // it has the radio
	OnLoan      bool // netconnectd has taken the radio for the access point, and hands it back later
	Polkit      bool
	Permissions map[string]string // of the daemon's user, by action: "yes", or what polkit says else
	Unseen      string            // why there are no Permissions
	Netplan     []string          // files of profiles that are netplan's
}

// Filter is the kernel's packet filter.
type Filter struct {
	Missing bool
	Unseen  string
}

// Tool is a program that netconnectd starts.
type Tool struct {
	Path    string
	Missing bool
	Version string
	Unseen  string
}

// File is a file's or folder's rights.
type File struct {
	Path     string
	Missing  bool
	Unseen   string
	Mode     uint32 // permission bits
	UID, GID int
	ReadOnly bool // the file system is
}

// Disk is the room for what has to be saved.
type Disk struct {
	Path   string
	Free   uint64 // bytes for others than root
	Inodes uint64
	Unseen string
}
