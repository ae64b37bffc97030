package sidecar

// News tells a failure that is met again from another one, so that each is logged once. It
// is not safe for concurrent use.
type News struct{ last string }

// Is tells whether a failure, nil for none, is another one than at the last call.
func (n *News) Is(err error) bool {
	text := ""
	if err != nil {
		text = err.Error()
	}
	other := text != n.last
	n.last = text
	return other
}
