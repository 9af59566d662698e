package link

// PathError is a problem with a part of a Desired.
type PathError struct {
	Path string // what declares the part; "": a part that is declared no longer
	Err  error
}

// Error returns the problem behind its place.
func (e *PathError) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap returns the problem without its place.
func (e *PathError) Unwrap() error { return e.Err }

// PathErrors returns the PathErrors that are joined in err, and whether err consists of
// nothing else.
func PathErrors(err error) (found []*PathError, only bool) {
	switch err := err.(type) {
	case nil:
		return nil, true
	case *PathError:
		return []*PathError{err}, true
	case interface{ Unwrap() []error }:
		only = true
		for _, part := range err.Unwrap() {
			inner, complete := PathErrors(part)
			found, only = append(found, inner...), only && complete
		}
		return found, only
	}
	return nil, false
}
