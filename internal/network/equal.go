package network

import (
	"reflect"
	"slices"
)

// Equal reports whether two Specs declare the same, wherever in a file it stands.
func (s Spec) Equal(other Spec) bool {
	return reflect.DeepEqual(s.withoutPlaces(), other.withoutPlaces())
}

// IsZero reports whether nothing is declared.
func (s Spec) IsZero() bool {
	return len(s.Devices)+len(s.Interfaces)+len(s.Routes)+len(s.Rules)+len(s.Neighbours) == 0
}

// withoutPlaces returns a copy in which nothing says where it was declared.
func (s Spec) withoutPlaces() Spec {
	s = Spec{
		slices.Clone(s.Devices), slices.Clone(s.Interfaces), slices.Clone(s.Routes), slices.Clone(s.Rules), slices.Clone(s.Neighbours),
	}
	for n := range s.Devices {
		s.Devices[n].Place, s.Devices[n].Link.Path = Place{}, ""
	}
	for n := range s.Interfaces {
		i := &s.Interfaces[n]
		i.Place, i.Addresses = Place{}, slices.Clone(i.Addresses)
		for a := range i.Addresses {
			i.Addresses[a].Path = ""
		}
	}
	for n := range s.Routes {
		s.Routes[n].Place, s.Routes[n].Spec.Path = Place{}, ""
	}
	for n := range s.Rules {
		s.Rules[n].Place, s.Rules[n].Spec.Path = Place{}, ""
	}
	for n := range s.Neighbours {
		s.Neighbours[n].Place, s.Neighbours[n].Spec.Path = Place{}, ""
	}
	return s
}
