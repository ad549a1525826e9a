"""Entry of ``python -m benchmarks.mutation``."""

from __future__ import annotations

import sys

from benchmarks.mutation.command_line import main

sys.exit(main())
