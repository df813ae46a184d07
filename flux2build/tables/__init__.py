"""Tables that people write: their keys, and the rules for their values.

A table declares its keys as a pydantic model would, but values are checked without pydantic, whose
import takes longer than most commands: `fit.py` accepts plain values that certainly keep the rules.
Every other value goes to the pydantic model that `explained.py` makes of the same declaration. It
decides, and words the error.
"""
