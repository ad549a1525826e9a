"""Entry of ``python -m mutation``."""

from __future__ import annotations

import sys

from mutation.command_line import main

sys.exit(main())
