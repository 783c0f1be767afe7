"""What one SQL statement does, read from its parse tree; nothing is executed.

    a statement → its parts (`parts`) → hazards, one file each (`hazards/`)

`hazards.reader` leads the way: it also reads what stands in WITH, in DO blocks and in functions.
"""
