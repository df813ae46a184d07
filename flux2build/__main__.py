"""`python -m flux2build`."""

import sys

from flux2build.cli.entry import main

sys.exit(main())
