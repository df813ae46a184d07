"""Tables that people write: their keys, and the rules that values keep.

A table declares its keys as a pydantic model would. Whether a value keeps the rules is
found out without pydantic, whose import takes longer than most commands: `fit.py` takes
plain values that certainly do. Every other value goes to the pydantic model that
`explained.py` makes of the same declaration. It has the last word, and the words of the error.
"""
