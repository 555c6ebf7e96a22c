package health

// SetIdle says that the backend takes no work now, or does again: it drains, or
// has no weight. It is checked and told of like the others, but they cannot
// count on it: for what is done while nobody is up, and for how many may
// pause, it is as if it were not there. A backend is not idle at first.
func (s *Subject) SetIdle(idle bool) {
	s.monitor.mu.Lock()
	defer s.monitor.mu.Unlock()
	s.idle = idle
}
