"""Wire dialects that several providers share: bodies, reading, stream readers, error mapping. Pure; no provider, no
I/O."""
