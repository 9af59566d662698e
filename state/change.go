package state

// Op says what happened.
type Op string

// What can happen. What undoes itself within milliseconds is not told.
const (
	Snapshot Op = "snapshot" // State is all there is; the first Change of every Watch
	Resync   Op = "resync"   // messages of the kernel were lost; the changes that follow make up for them
	New      Op = "new"
	Changed  Op = "change" // the object is the new one, Old the former
	Deleted  Op = "del"
)

// Change is one step from one State to the next. Exactly one object is set,
// but for a resync, which has none.
type Change struct {
	Seq uint64 `json:"seq"` // 1, 2, 3, … without gap
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
