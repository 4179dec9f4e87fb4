"""``python -m braintumor_desktop``."""

import sys

from braintumor_desktop.cli import main

sys.exit(main())
