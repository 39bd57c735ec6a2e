"""Tables of people's own: files with times, numbers and notes, read once for every source and for `--series`.

`files` reads a file as a table of cells, `numbers` and `times` read its columns, `zones` makes UTC of local times, `grid`
puts rows on regular steps, `series` and `notes` do all of it as a `spec` says, and `counts` tells what was found on the
way. `guess` writes a first `spec` for a folder.
"""
