"""Who somebody is, and what they may do: proven on real servers."""
