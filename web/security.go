package web

// name says which browser it is.
func (l LoginRow) name() string {
	if l.Browser == "" {
		return "Another browser"
	}
	return l.Browser
}

// ending names the button that ends a login, to whoever does not see its row.
func (l LoginRow) ending() string {
	if l.This {
		return "Sign out here"
	}
	return "End the sign-in at " + l.name()
}
