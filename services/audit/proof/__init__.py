"""What lets somebody without any trust in us or our database check that nothing was changed or left out."""
