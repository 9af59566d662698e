package state

// Op says what has happened.
type Op string

// The values of Op. A change that is undone within milliseconds is not reported.
const (
	Snapshot Op = "snapshot" // State holds the whole state; the first Change of every Watch
	Resync   Op = "resync"   // messages of the kernel were lost; the following changes make up for them
	New      Op = "new"
	Changed  Op = "change" // the object is the new one, Old the previous one
	Deleted  Op = "del"
)

// Change is one step from one State to the next. Exactly one object is set, except in
// a resync, which has none.
type Change struct {
	Seq uint64 `json:"seq"` // 1, 2, 3, … without a gap
	Op  Op     `json:"op"`
	Object
	Old *Object `json:"old,omitempty"`
}

// Object is one object of a State.
type Object struct {
	State     *State        `json:"state,omitempty"`
	Iface     *Iface        `json:"iface,omitempty"` // without addresses
	Address   *IfaceAddress `json:"address,omitempty"`
	Route     *Route        `json:"route,omitempty"`
	Rule      *Rule         `json:"rule,omitempty"`
	Neighbour *Neighbour    `json:"neighbour,omitempty"`
	FDB       *FDBEntry     `json:"fdb,omitempty"`
	Nexthop   *Nexthop      `json:"nexthop,omitempty"`
}

// IfaceAddress is an address with the name of its interface.
type IfaceAddress struct {
	Iface string `json:"iface"`
	Address
}
