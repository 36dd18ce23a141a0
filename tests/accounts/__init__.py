"""What accounts promises, proven on real servers."""
