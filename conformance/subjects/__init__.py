"""The subjects: one module a backend, named as its row, holding ``SUBJECT``. See
:class:`conformance.subject.Subject`."""
