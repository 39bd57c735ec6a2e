"""Tables of people's own: files with times, numbers and notes, read once for every source and for `--series`.

`files` reads a file as a table of cells, `numbers` and `times` read its columns, `zones` makes UTC of local times, `spread`
turns a table with several times in a row, `grid` puts rows on regular steps, `series` and `notes` do all of it as a `spec`
says, and `counts` tells what was found on the way. `seen` tells which files are as they were when rows are added. `looks`
sees what the columns of a file may be, and `guess` writes a first `spec` for a folder.
"""
