"""From files to canonical blocks: discover, decode, read fields, find duplicates."""
