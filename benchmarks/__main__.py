"""Entry of ``python -m benchmarks``."""

from __future__ import annotations

import sys

from benchmarks.command_line import main

sys.exit(main())
