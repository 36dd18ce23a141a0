"""The screens: one file for each menu or procedure of the manual."""
