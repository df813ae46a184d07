"""`python -m flux2build`."""

import sys

from flux2build.entry import main

sys.exit(main())
