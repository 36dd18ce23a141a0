"""The sheets: what is particular to the input and confirmation of each kind of procedure."""
