"""Numbered SQL scripts, forward only: `NNNN_name.sql` takes schema NNNN-1 to NNNN."""
