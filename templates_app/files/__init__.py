"""Templates as files in a folder, so that teams review them in git and move them from one installation to another."""
