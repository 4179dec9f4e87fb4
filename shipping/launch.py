"""Where the frozen program starts: the command line, which opens the window where no command is given."""

import sys

from braintumor_desktop.cli import main

sys.exit(main())
