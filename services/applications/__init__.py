"""What somebody asked for, and what became of it: the engine of all Web applications."""
