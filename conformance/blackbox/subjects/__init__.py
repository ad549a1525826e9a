"""The clients that are judged, one folder each: an adapter and a ``subject.toml``. Judged programs: nothing here is imported."""
