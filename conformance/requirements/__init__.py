"""The clauses of the contract: one module a chapter, each holding ``REQUIREMENTS`` in order of their ids. Data only."""
