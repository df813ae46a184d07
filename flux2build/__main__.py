"""The program: `flux2build`, or `python -m flux2build`."""

# Before anything else is imported, Ctrl-C is to end the process in silence, without a traceback.
# `signal` itself imports `enum`, which takes longer than the answer to a call with nothing to do.
import _signal  # type: ignore[import-not-found]  # only `signal` has stubs

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import sys

from flux2build.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
