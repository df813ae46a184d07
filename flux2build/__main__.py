"""`python -m flux2build`."""

import sys

from flux2build.cli import main

sys.exit(main())
