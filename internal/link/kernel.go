package link

import "context"

// Kernel is the kernel's network as a value, for those who declare the part of
// it that they use as an interface.
type Kernel struct{}

// Apply is the function Apply.
func (Kernel) Apply(ctx context.Context, want Spec) error { return Apply(ctx, want) }
