package network

// OptionDoc describes an option for people. The tables of docs/network.md and the manual
// page are made of OptionDocs.
type OptionDoc struct {
	Name   string
	Others []string // further names that the option may have in a file
	Of     []string // types of devices, or protocols of interfaces, that have the option; nil: all
	List   bool     // the option has any number of values
	Takes  string   // what a value may be
	Unset  string   // what holds without the option; "": the link is left as it is
	Doc    string   // sentences
}

// Options describes the options that Sections of a kind can have, in the order in which
// people should see them.
func Options(kind string) []OptionDoc {
	switch kind {
	case KindDevice:
		return describe(deviceOptions)
	case KindInterface:
		return describe(interfaceOptions)
	case KindRoute:
		return describe(routeOptions)
	case KindRule:
		return describe(ruleOptions)
	case KindNeighbour:
		return describe(neighbourOptions)
	}
	return nil
}

func describe[T any](options []*option[T]) []OptionDoc {
	docs := make([]OptionDoc, len(options))
	for i, o := range options {
		docs[i] = OptionDoc{o.name, o.others, o.of, o.list, o.takes, o.unset, o.doc}
	}
	return docs
}
